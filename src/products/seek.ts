import type { Knex } from 'knex';
import type { Cursor } from '../cursor.ts';
import { rowsOf, statement } from '../statement.ts';
import type { Statement } from '../statement.ts';
import type { OrderTerm, Ordering } from './filters.ts';
import { readPosition } from './positions.ts';
import { selectProducts } from './repository.ts';
import type { Product, ProductQuery } from './repository.ts';

/** The first `limit` products from where a cursor stands. */
export type FindProducts = (
  ordering: Ordering,
  cursor: Cursor,
  limit: number,
) => Promise<Product[]>;

/** Finds them among those that a query narrows. */
export const findAmong =
  (products: ProductQuery, db: Knex): FindProducts =>
  (ordering, cursor, limit) =>
    rowsOf(seek(products, ordering, cursor).limit(limit), db);

/** Finds them among all. Each limit has statements of its own: it is not for callers to choose. */
export const findAmongAll =
  (db: Knex): FindProducts =>
  (ordering, cursor, limit) => {
    const isUsual = ordering.length <= 2 && cursor.offset === 0 && cursor.id === undefined;
    if (!isUsual) return findAmong(selectProducts(db), db)(ordering, cursor, limit);
    const terms = termsOf(ordering, cursor);
    const [text] = cursor.positions;
    if (text === undefined) return usualPage(terms, 'from the start', limit)({ position: '' }, db);
    const position = readPosition(terms[0].field, text);
    return usualPage(terms, 'onward', limit)({ position }, db);
  };

const usualPages = new Map<string, Statement<{ position: string }, Product>>();

function usualPage(
  terms: Ordering,
  from: 'from the start' | 'onward',
  limit: number,
): Statement<{ position: string }, Product> {
  const [{ field, order }] = terms;
  const name = `${limit} products by ${field} ${order} ${from}`;
  let known = usualPages.get(name);
  if (!known) {
    known = statement(name, (builder, { position }) => {
      // A parameter for the limit would be planned anew at each run: the plan for few rows is never the general one.
      const page = inOrder(selectProducts(builder), terms).limit(limit, { skipBinding: true });
      return from === 'onward' ? beyond(page, terms, position) : page;
    });
    usualPages.set(name, known);
  }
  return known;
}

/** Enters the index where the cursor stands. Only DRF's small offset is counted off. */
export function seek(products: ProductQuery, ordering: Ordering, cursor: Cursor): ProductQuery {
  const terms = termsOf(ordering, cursor);
  const [position] = cursor.positions;
  inOrder(products, terms).offset(cursor.offset);
  if (cursor.id !== undefined)
    return products.whereRaw(afterRow(terms), rowPosition(terms, cursor));
  if (position === undefined) return products;
  return beyond(products, terms, readPosition(terms[0].field, position));
}

const termsOf = (ordering: Ordering, { reverse }: Cursor): Ordering =>
  reverse ? opposite(ordering) : ordering;

function inOrder(products: ProductQuery, terms: Ordering): ProductQuery {
  for (const { field, order } of terms) products.orderBy(`product.${field}`, order);
  return products;
}

const BEYOND = { asc: '>', desc: '<' } as const;

const beyond = (
  products: ProductQuery,
  [{ field, order }]: Ordering,
  position: string,
): ProductQuery => products.where(`product.${field}`, BEYOND[order], position);

function opposite([first, ...rest]: Ordering): Ordering {
  return [flip(first), ...rest.map(flip)];
}

function flip({ field, order }: OrderTerm): OrderTerm {
  return { field, order: order === 'asc' ? 'desc' : 'asc' };
}

// A bound on the first column, and the pair of the last two, are what an index can be entered by.
function afterRow([{ field, order }, next, ...rest]: Ordering): string {
  const column = `product.${field}`;
  const beyond = BEYOND[order];
  if (!next) return `${column} ${beyond} :${field}`;
  if (rest.length === 0)
    return `(${column}, product.${next.field}) ${beyond} (:${field}, :${next.field})`;
  const inner = afterRow([next, ...rest]);
  return `${column} ${beyond}= :${field} AND (${column} ${beyond} :${field} OR ${inner})`;
}

function rowPosition(terms: Ordering, { positions, id }: Cursor): Record<string, string> {
  const values = [...positions, id];
  return Object.fromEntries(
    terms.map(({ field }, index) => [field, readPosition(field, values[index])]),
  );
}
