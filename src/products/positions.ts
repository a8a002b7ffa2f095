import { invalidCursor } from '../cursor.ts';
import type { OrderTerm } from './filters.ts';
import type { Product } from './repository.ts';

type Field = OrderTerm['field'];

/** What a cursor says of a row, as Python's str() prints it. */
export function positionIn(product: Product, field: Field): string {
  if (field !== 'created_at') return String(product[field]);
  return product.created_at.replace('T', ' ').replace('Z', '+00:00');
}

/** A position fit for the column; Django fails where it is not. */
export function readPosition(field: Field, text: string | undefined): string {
  const value = text === undefined ? undefined : READERS[field](text);
  if (value === undefined) throw invalidCursor();
  return value;
}

const READERS: Record<Field, (text: string) => string | undefined> = {
  id: readId,
  name: (text) => (text.includes('\0') ? undefined : text),
  price: (text) => (/^[+-]?\d+(\.\d+)?$/.test(text) ? text : undefined),
  created_at: readTime,
};

// Every id is below a number that bigint cannot hold, or above it.
const BIGINT_MAX = 2n ** 63n - 1n;

function readId(text: string): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = BigInt(text.replace('+', ''));
  if (id > BIGINT_MAX) return String(BIGINT_MAX);
  return String(id < -BIGINT_MAX ? -BIGINT_MAX : id);
}

function readTime(text: string): string | undefined {
  const [, date, time] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{6})?(\+00:00|Z)$/.exec(text) ?? [];
  const instant = new Date(`${date}T${time}Z`);
  // A 30th of February and a year 0 are no dates to the database.
  const exists =
    !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(`${date}T${time}`);
  return exists && !text.startsWith('0000') ? text : undefined;
}
