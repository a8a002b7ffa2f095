import type { ErrorObject } from 'ajv';
import { ValidationError } from '../errors.ts';
import type { FieldErrors } from '../errors.ts';
import { textProblems } from '../text.ts';
import type { DecimalLimits, Schema } from './coercion.ts';
import { compareToNumber, countDigits, MAX_NUMBER_LENGTH, parseDecimal } from './decimal.ts';

/** The sentence for a decimal beyond its limits, or undefined. `text` is in plain notation. */
export function decimalProblem(text: string, limits: DecimalLimits): string | undefined {
  const decimal = parseDecimal(text);
  if (!decimal) return undefined;
  const { maxDigits = Infinity, decimalPlaces = Infinity, minimum, maximum } = limits;
  const { total, places, whole } = countDigits(decimal);
  if (total > maxDigits) return `Ensure that there are no more than ${maxDigits} digits in total.`;
  if (places > decimalPlaces)
    return `Ensure that there are no more than ${decimalPlaces} decimal places.`;
  if (whole > maxDigits - decimalPlaces)
    return `Ensure that there are no more than ${maxDigits - decimalPlaces} digits before the decimal point.`;
  if (minimum !== undefined && compareToNumber(decimal, minimum) < 0)
    return `Ensure this value is greater than or equal to ${minimum}.`;
  if (maximum !== undefined && compareToNumber(decimal, maximum) > 0)
    return `Ensure this value is less than or equal to ${maximum}.`;
  return undefined;
}

/** Why a value is no text that PostgreSQL could store, in Django's words; undefined if it is, or is no text. */
export function textProblem(value: unknown): string | undefined {
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
  const sorted = found.toSorted((a, b) => precedence(a) - precedence(b));
  const errors: FieldErrors = {};
  for (const name of Object.keys(schemas)) {
    const error = sorted.find((candidate) => fieldOf(candidate) === name);
    const sentence = error ? sentenceOf(error, source) : textProblem(values[name]);
    if (sentence !== undefined) errors[name] = [sentence];
  }
  const names = Object.keys(errors);
  const [first] = sorted;
  if (names.length === 0 && first)
    throw new ValidationError({ non_field_errors: [sentenceOf(first, source)] });
  if (names.length === 0) return;
  // DRF's search filter runs after django-filter, and tells its errors without a name.
  const bare = names.filter((name) => schemas[name]?.['x-bare-errors']);
  if (bare.length === names.length) throw new ValidationError(Object.values(errors).flat());
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

function sentenceOf(error: ErrorObject, source: Source): string {
  const { keyword, params, data, message } = error;
  const schema = (error.parentSchema ?? {}) as Schema; // present under `verbose`
  const limit: unknown = params.limit;
  switch (keyword) {
    case 'required':
      return 'This field is required.';
    case 'type':
    case 'format':
      return data === null ? 'This field may not be null.' : typeSentence(schema, data, source);
    case 'x-decimal':
      return message ?? '';
    case 'minLength':
      return limit === 1
        ? 'This field may not be blank.'
        : `Ensure this field has at least ${limit} characters.`;
    case 'maxLength':
      return `Ensure this field has no more than ${limit} characters.`;
    case 'minimum':
      return `Ensure this value is greater than or equal to ${limit}.`;
    case 'maximum':
      return `Ensure this value is less than or equal to ${limit}.`;
    default:
      return 'This value does not match the required pattern.';
  }
}

function typeSentence(schema: Schema, data: unknown, source: Source): string {
  if (source === 'query') return 'Enter a number.';
  if (typeof data === 'string' && data.length > MAX_NUMBER_LENGTH) return 'String value too large.';
  if (schema.type === 'integer') return 'A valid integer is required.';
  if (schema.format === 'decimal') return 'A valid number is required.';
  if (schema.type === 'boolean') return 'Must be a valid boolean.';
  return 'Not a valid string.';
}
