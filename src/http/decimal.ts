import { strip } from '../text.ts';

/** A decimal number as written: `digits` has no leading zeros (but "0"), the value is digits × 10^exponent. */
export interface Decimal {
  negative: boolean;
  digits: string;
  exponent: number;
}

/** DRF reads no longer text as a number, and the time it takes is bounded so. */
export const MAX_NUMBER_LENGTH = 1000;

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?0*\d{1,18}))?$/i;

/** Reads what Python's `decimal.Decimal` reads, except NaN and Infinity; undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const stripped = strip(text);
  if (stripped.length > MAX_NUMBER_LENGTH) return undefined;
  const match = NUMBER.exec(asciiDigits(stripped.replaceAll('_', '')));
  const [, sign, whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (!match || whole + fraction === '') return undefined;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  return { negative: sign === '-', digits, exponent: Number(exponent) - fraction.length };
}

/**
 * Reads what Python's `int` reads; undefined for anything else. Beyond the largest number, that one stands in.
 */
export function parseInteger(text: string): number | undefined {
  const digits = asciiDigits(strip(text));
  if (!/^[+-]?\d+(_\d+)*$/.test(digits)) return undefined;
  const value = Number(digits.replaceAll('_', ''));
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

/** Digits before and behind the decimal point, and their sum, as DRF's DecimalField counts them. */
export function countDigits({ digits, exponent }: Decimal): {
  total: number;
  whole: number;
  places: number;
} {
  if (exponent >= 0)
    return { total: digits.length + exponent, whole: digits.length + exponent, places: 0 };
  const places = -exponent;
  const whole = Math.max(digits.length - places, 0);
  return { total: whole + places, whole, places };
}

// No column holds more, and a comparison with anything beyond comes out the same.
const LARGEST_EXPONENT = 51;
const SMALLEST_EXPONENT = -60;

/** Plain notation, such as `-1.50`. Beyond 10^51 or below 10^-60 the nearest of these stands in. */
export function toPlainText({ negative, digits, exponent }: Decimal): string {
  if (digits === '0') return plain('', digits, Math.min(Math.max(exponent, SMALLEST_EXPONENT), 0));
  const sign = negative ? '-' : '';
  const magnitude = digits.length + exponent;
  if (magnitude > LARGEST_EXPONENT) return plain(sign, '1', LARGEST_EXPONENT);
  if (magnitude < SMALLEST_EXPONENT) return plain(sign, '1', SMALLEST_EXPONENT);
  return plain(sign, digits, exponent);
}

function plain(sign: string, digits: string, exponent: number): string {
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

export function compareToNumber(decimal: Decimal, bound: number): number {
  return Number(`${decimal.negative ? '-' : ''}${decimal.digits}e${decimal.exponent}`) - bound;
}

// Unicode has its decimal digits in runs of ten, so that the distance to the start of a run is the value.
function asciiDigits(text: string): string {
  return text.replace(/[^\x00-\x7f]/gu, (character) => {
    if (!/\p{Nd}/u.test(character)) return character;
    const point = character.codePointAt(0) ?? 0;
    let start = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start -= 1;
    return String((point - start) % 10);
  });
}
