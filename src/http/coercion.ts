import type { IncomingHttpHeaders } from 'node:http';
import { ValidationError } from '../errors.ts';
import { strip } from '../text.ts';
import { MAX_NUMBER_LENGTH, parseDecimal, parseInteger, toPlainText } from './decimal.ts';

/** What the shell reads of a schema in the contract. */
export interface Schema {
  type?: string | string[];
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  'x-trim'?: boolean;
  'x-decimal'?: DecimalLimits;
  'x-ignore-invalid'?: boolean;
  'x-bare-errors'?: boolean;
}

export interface DecimalLimits {
  maxDigits?: number;
  decimalPlaces?: number;
  minimum?: number;
  maximum?: number;
}

/**
 * The declared members of a body in the types of the contract, as DRF's fields coerce them; what does not fit
 * stays as it is, for the validator to refuse. Members that are not declared are left out.
 */
export function coerceBody(
  data: unknown,
  schema: Schema,
  isForm: boolean,
): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw notAnObject(data);
  const given = new Map(Object.entries(data));
  const members = Object.entries(schema.properties ?? {})
    .filter(([name]) => given.has(name))
    .filter(([name, property]) => !(isForm && isLeftBlank(given.get(name), name, property, schema)))
    .map(([name, property]) => [name, coerce(given.get(name), property)]);
  return Object.fromEntries(members);
}

/** The declared query parameters: the last of repeated ones, without blank ones, in the contract's types. */
export function coerceQuery(
  search: URLSearchParams,
  schemas: Record<string, Schema>,
): Record<string, unknown> {
  if (search.size === 0) return {};
  const given = Object.entries(schemas).map(([name, schema]) => {
    const value = search.getAll(name).at(-1);
    return [name, value ? coerce(value, schema) : undefined];
  });
  // White space alone is a blank text, but no blank number (django-filter).
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''));
}

/** The declared headers in the contract's types and spelling. */
export function coerceHeaders(
  raw: IncomingHttpHeaders,
  schemas: Record<string, Schema>,
): Record<string, unknown> {
  const given = Object.entries(schemas).map(([name, schema]) => {
    const value = raw[name.toLowerCase()];
    return [name, value === undefined ? undefined : coerce(value, schema)];
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

export function coerce(value: unknown, schema: Schema): unknown {
  if (schema.type === 'integer') return coerceInteger(value);
  if (schema.type === 'boolean') return coerceBoolean(value);
  if (schema.format === 'decimal') return coerceDecimal(value);
  if (schema.type === 'string') return coerceText(value, schema);
  return value;
}

function coerceText(value: unknown, schema: Schema): unknown {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || schema['x-trim'] === false) return text;
  return strip(text);
}

function coerceInteger(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > MAX_NUMBER_LENGTH) return value;
  return parseInteger(strip(value).replace(/\.0*$/, '')) ?? value;
}

// The words of DRF's BooleanField, in any case.
const BOOLEANS = new Map<unknown, boolean>([
  ...['t', 'y', 'yes', 'true', 'on', '1', 1].map((word) => [word, true] as const),
  ...['f', 'n', 'no', 'false', 'off', '0', 0].map((word) => [word, false] as const),
]);

function coerceBoolean(value: unknown): unknown {
  return BOOLEANS.get(typeof value === 'string' ? strip(value).toLowerCase() : value) ?? value;
}

function coerceDecimal(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const decimal = parseDecimal(String(value));
  // Digits are counted as they were written: 1.10000 has too many, although it is 1.1.
  return decimal ? toPlainText(decimal) : value;
}

// An empty input of an HTML form means "not filled in", unless the field takes blanks or must be there.
function isLeftBlank(value: unknown, name: string, property: Schema, schema: Schema): boolean {
  const takesBlank = property.type === 'string' && property.format !== 'decimal';
  return value === '' && !takesBlank && !schema.required?.includes(name);
}

function notAnObject(data: unknown): ValidationError {
  if (data === null)
    return new ValidationError({
      non_field_errors: [{ detail: 'No data provided', code: 'null' }],
    });
  const type = Array.isArray(data) ? 'list' : pythonTypeOf(data);
  const detail = `Invalid data. Expected a dictionary, but got ${type}.`;
  return new ValidationError({ non_field_errors: [{ detail, code: 'invalid' }] });
}

function pythonTypeOf(data: unknown): string {
  if (typeof data === 'number') return Number.isInteger(data) ? 'int' : 'float';
  return typeof data === 'boolean' ? 'bool' : 'str';
}
