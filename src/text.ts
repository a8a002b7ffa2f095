/** What Python's `str.isspace` says, for a class of a RegExp: unlike `\s` with 1C to 1F and NEL, without U+FEFF. */
export const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

// Not /^ +| +$/, which tries each space of a long run anew.
const BETWEEN_SPACES = new RegExp(`[^${SPACE}](?:.*[^${SPACE}])?`, 's');

/** Python's `str.strip()`. */
export function strip(text: string): string {
  return BETWEEN_SPACES.exec(text)?.[0] ?? '';
}

/**
 * Why a text cannot be stored, in Django's words: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.
 * Neither can it be hashed as a password, since bcrypt ends at a NUL and all surrogates are the same bytes.
 */
export function textProblems(text: string): string[] {
  const problems: string[] = [];
  if (text.includes('\0')) problems.push('Null characters are not allowed.');
  const surrogate = /\p{Surrogate}/u.exec(text)?.[0].charCodeAt(0).toString(16).toUpperCase();
  if (surrogate !== undefined)
    problems.push(`Surrogate characters are not allowed: U+${surrogate}.`);
  return problems;
}

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
