import { contractDocument } from './contract.ts';
import type { TextRow } from './statement.ts';

const TEXT = Symbol('JSON');
declare const VALUE: unique symbol;

/** A value as the JSON that is sent, written from the contract's schema without ever being a value. */
export interface JsonText<Value> {
  readonly [TEXT]: string;
  readonly [VALUE]?: Value;
}

export const jsonText = <Value>(text: string): JsonText<Value> => ({ [TEXT]: text });

/** undefined for a value that is none yet. */
export function textOf(body: unknown): string | undefined {
  return typeof body === 'object' && body !== null && TEXT in body
    ? (body as JsonText<unknown>)[TEXT]
    : undefined;
}

interface Column {
  type?: string;
  format?: string;
}

interface Schemas {
  components: { schemas: Record<string, { properties?: Record<string, Column> }> };
}

/** The columns of a flat schema of the contract, in its order, by name. */
export function columnsOf(schema: string): Record<string, Column> {
  const { components } = contractDocument() as Schemas; // linted when it was bundled
  const { properties } = components.schemas[schema] ?? {};
  if (!properties) throw new Error(`the contract has no schema ${schema} of an object`);
  return properties;
}

/** Writes a row of text, with the columns of a flat schema in its order, as that schema's JSON. */
export function rowWriter(schema: string): (row: TextRow) => string {
  const columns = Object.entries(columnsOf(schema)).map(([name, column], index) => ({
    head: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    write: writerOf(column),
  }));
  return (row) => {
    let text = '';
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index];
      const value = row[index];
      if (column) text += column.head + (value == null ? 'null' : column.write(value));
    }
    return `${text}}`;
  };
}

function writerOf({ type, format }: Column): (text: string) => string {
  if (type === 'integer') return (text) => text;
  if (type !== 'string') throw new Error(`no way is known to write a column of ${type} as JSON`);
  return format === 'decimal' || format === 'date-time' ? (text) => `"${text}"` : quote;
}

// Quotes, controls, and what ends a line in JavaScript: the shell escapes that in values as well.
const ODD = /["\\\u0000-\u001f\u2028\u2029]/;

function quote(text: string): string {
  return ODD.test(text) ? escapeLineEnds(JSON.stringify(text)) : `"${text}"`;
}

/** U+2028 and U+2029 end a line in JavaScript, though not in JSON: DRF escapes them. */
export function escapeLineEnds(json: string): string {
  return json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
