import type { ErrorObject } from 'ajv';
import { ValidationError } from '../errors.ts';
import type { FieldErrors, Reason } from '../errors.ts';
import { BLANK, textProblems, tooLong } from '../text.ts';
import type { DecimalLimits, Schema } from './coercion.ts';
import { compareToNumber, countDigits, MAX_NUMBER_LENGTH, parseDecimal } from './decimal.ts';

/** What is wrong with a decimal beyond its limits, or undefined. `text` is in plain notation. */
export function decimalProblem(text: string, limits: DecimalLimits): Reason | undefined {
  const decimal = parseDecimal(text);
  if (!decimal) return undefined;
  const { maxDigits = Infinity, decimalPlaces = Infinity, minimum, maximum } = limits;
  const { total, places, whole } = countDigits(decimal);
  if (total > maxDigits) return tooMany(`${maxDigits} digits in total`, 'max_digits');
  if (places > decimalPlaces)
    return tooMany(`${decimalPlaces} decimal places`, 'max_decimal_places');
  if (whole > maxDigits - decimalPlaces)
    return tooMany(
      `${maxDigits - decimalPlaces} digits before the decimal point`,
      'max_whole_digits',
    );
  if (minimum !== undefined && compareToNumber(decimal, minimum) < 0) return tooSmall(minimum);
  if (maximum !== undefined && compareToNumber(decimal, maximum) > 0) return tooLarge(maximum);
  return undefined;
}

const tooMany = (what: string, code: Reason['code']): Reason => ({
  detail: `Ensure that there are no more than ${what}.`,
  code,
});
const tooSmall = (minimum: number): Reason => ({
  detail: `Ensure this value is greater than or equal to ${minimum}.`,
  code: 'min_value',
});
const tooLarge = (maximum: number): Reason => ({
  detail: `Ensure this value is less than or equal to ${maximum}.`,
  code: 'max_value',
});
const invalid = (detail: string): Reason => ({ detail, code: 'invalid' });

/** Why a value is no text that PostgreSQL could store, in Django's words; undefined if it is, or is no text. */
export function textProblem(value: unknown): Reason | undefined {
  return typeof value === 'string' ? textProblems(value)[0] : undefined;
}

type Source = 'body' | 'query' | 'header';

// Of several errors of one field, the one that DRF comes to first.
const PRECEDENCE = [
  'required',
  'type',
  'x-decimal',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'format',
];

/**
 * Throws DRF's errors by field for what Ajv found (`verbose`) and for texts that cannot be stored, in the order
 * of the contract.
 */
export function refuseInvalid(
  found: ErrorObject[],
  values: Record<string, unknown>,
  schemas: Record<string, Schema>,
  source: Source,
): void {
  if (found.length === 0 && Object.keys(values).length === 0) return;
  const sorted = found.toSorted((a, b) => precedence(a) - precedence(b));
  const errors: FieldErrors = {};
  for (const name of Object.keys(schemas)) {
    const error = sorted.find((candidate) => fieldOf(candidate) === name);
    const reason = error ? reasonOf(error, source) : textProblem(values[name]);
    if (reason) errors[name] = [reason];
  }
  const names = Object.keys(errors);
  const [first] = sorted;
  if (names.length === 0 && first)
    throw new ValidationError({ non_field_errors: [reasonOf(first, source)] });
  if (names.length === 0) return;
  // DRF's search filter runs after django-filter, and tells its errors without a name.
  const bare = names.filter((name) => schemas[name]?.['x-bare-errors']);
  if (bare.length === names.length) throw new ValidationError(errors, { withNames: false });
  for (const name of bare) delete errors[name];
  throw new ValidationError(errors);
}

function precedence({ keyword }: ErrorObject): number {
  const rank = PRECEDENCE.indexOf(keyword);
  return rank === -1 ? PRECEDENCE.length : rank;
}

/** The first member below requestBody, query or path that an error of Ajv is about. */
export function fieldOf({ keyword, instancePath, params }: ErrorObject): string {
  return keyword === 'required'
    ? String(params.missingProperty)
    : (instancePath.split('/')[2] ?? '');
}

function reasonOf(error: ErrorObject, source: Source): Reason {
  const { keyword, params, data } = error;
  const schema = (error.parentSchema ?? {}) as Schema; // present under `verbose`
  const limit = Number(params.limit);
  switch (keyword) {
    case 'required':
      return { detail: 'This field is required.', code: 'required' };
    case 'type':
    case 'format':
      if (data === null) return { detail: 'This field may not be null.', code: 'null' };
      return typeReason(schema, data, source);
    case 'x-decimal':
      return decimalProblem(String(data), schema['x-decimal'] ?? {}) ?? NO_MATCH;
    case 'minLength':
      return limit === 1 ? BLANK : invalid(`Ensure this field has at least ${limit} characters.`);
    case 'maxLength':
      return tooLong(limit);
    case 'minimum':
      return tooSmall(limit);
    case 'maximum':
      return tooLarge(limit);
    default:
      return NO_MATCH;
  }
}

const NO_MATCH = invalid('This value does not match the required pattern.');

function typeReason(schema: Schema, data: unknown, source: Source): Reason {
  if (source === 'query') return invalid('Enter a number.');
  if (typeof data === 'string' && data.length > MAX_NUMBER_LENGTH)
    return { detail: 'String value too large.', code: 'max_string_length' };
  if (schema.type === 'integer') return invalid('A valid integer is required.');
  if (schema.format === 'decimal') return invalid('A valid number is required.');
  if (schema.type === 'boolean') return invalid('Must be a valid boolean.');
  return invalid('Not a valid string.');
}
