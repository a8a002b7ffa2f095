// The scripts that Unicode recommends for identifiers (UAX #31, table 5).
const SCRIPTS = [
  'Arabic',
  'Armenian',
  'Bengali',
  'Bopomofo',
  'Cyrillic',
  'Devanagari',
  'Ethiopic',
  'Georgian',
  'Greek',
  'Gujarati',
  'Gurmukhi',
  'Han',
  'Hangul',
  'Hebrew',
  'Hiragana',
  'Kannada',
  'Katakana',
  'Khmer',
  'Lao',
  'Latin',
  'Malayalam',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Tamil',
  'Telugu',
  'Thaana',
  'Thai',
  'Tibetan',
];

// Written together, with Latin words among them, in Japanese, Chinese and Korean.
const MIXTURES = [
  ['Han', 'Hiragana', 'Katakana', 'Latin'],
  ['Han', 'Bopomofo', 'Latin'],
  ['Han', 'Hangul', 'Latin'],
];

const COMMON = '\\p{scx=Common}\\p{scx=Inherited}';

function compilePatterns(): RegExp[] {
  return [...SCRIPTS.map((script) => [script]), ...MIXTURES].map((scripts) => {
    const classes = scripts.map((script) => `\\p{scx=${script}}`).join('');
    return new RegExp(`^[${COMMON}${classes}]*$`, 'u');
  });
}

// When somebody registers: the classes of Unicode take longer than a start should wait for them.
let patterns: RegExp[] | undefined;

/** Unicode's "highly restrictive" level (UTS #39, 5.2): letters of one script, digits and punctuation beside them. */
export function isOfOneScript(text: string): boolean {
  patterns ??= compilePatterns();
  return patterns.some((pattern) => pattern.test(text));
}
