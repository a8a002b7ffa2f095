import type { OperationRequest } from '../contract.ts';
import { SPACE, strip } from '../text.ts';
import type { ProductQuery } from './repository.ts';

type Filters = OperationRequest<'listProducts'>['query'];

const PRICE_FILTERS = [
  ['price', '='],
  ['price__lt', '<'],
  ['price__lte', '<='],
  ['price__gt', '>'],
  ['price__gte', '>='],
] as const;
const STOCK_FILTERS = [
  ['stock', '='],
  ['stock__lte', '<='],
  ['stock__gte', '>='],
] as const;

// The expressions of the trigram indexes. LIKE's escape character is the backslash.
const NAME = 'upper(product.name COLLATE "default")';
const DESCRIPTION = 'upper(product.description)';

// Where PostgreSQL finds three characters in a row to look up, the edges of words counted in. Without any it would
// read the whole index and then the table: such a text must not look like a condition of the index.
const HAS_TRIGRAM = /[\p{L}\p{N}]{3}|[^\p{L}\p{N}][\p{L}\p{N}]|[\p{L}\p{N}]{2}[^\p{L}\p{N}]/u;
const likeIn = (column: string, text: string): string =>
  HAS_TRIGRAM.test(text) ? `${column} LIKE upper(?)` : `${column} || '' LIKE upper(?)`;

// Enough to find few rows by index; thousands would keep the planner busy for seconds.
const PLANNED_TERMS = 20;

/** django-filter's and DRF's SearchFilter's part of the list: all conditions hold. */
export function filterProducts(products: ProductQuery, filters: Filters): ProductQuery {
  if (filters.name !== undefined) products.where('product.name', filters.name);
  if (filters.name__icontains !== undefined)
    products.whereRaw(likeIn(NAME, filters.name__icontains), [contains(filters.name__icontains)]);
  for (const [name, operator] of PRICE_FILTERS) {
    const price = filters[name];
    if (price !== undefined) products.where('product.price', operator, price);
  }
  for (const [name, operator] of STOCK_FILTERS) {
    const stock = filters[name];
    if (stock !== undefined)
      products.whereRaw(`product.stock ${operator} ?::bigint`, [wholeStock(stock)]);
  }
  searchProducts(products, splitSearch(filters.search ?? ''));
  return products;
}

function searchProducts(products: ProductQuery, terms: string[]): void {
  for (const term of terms.slice(0, PLANNED_TERMS)) {
    const pattern = contains(term);
    products.whereRaw(`(${likeIn(NAME, term)} OR ${likeIn(DESCRIPTION, term)})`, [
      pattern,
      pattern,
    ]);
  }
  const others = terms.slice(PLANNED_TERMS);
  if (others.length > 0)
    products.whereRaw(
      `NOT EXISTS (SELECT FROM unnest(?::text[]) AS pattern
        WHERE NOT (${NAME} LIKE upper(pattern) OR ${DESCRIPTION} LIKE upper(pattern)))`,
      [others.map(contains)],
    );
}

function contains(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

// Django cuts the fraction, and a number that the column cannot hold is below or above every stock.
function wholeStock(decimal: string): number {
  const [whole] = decimal.split('.');
  return Math.max(-1, Math.min(2 ** 31, Number(whole)));
}

const BETWEEN_COMMAS = /[^,](?:.*[^,])?/s;
// Django's smart_split: a run without spaces, in which quotes hold spaces together.
const QUOTED = `(?:"(?:[^"\\\\]|\\\\[^\\n])*"|'(?:[^'\\\\]|\\\\[^\\n])*')`;
const BIT = new RegExp(`(?:[^${SPACE}'"]*(?:${QUOTED}[^${SPACE}'"]*)+)|[^${SPACE}]+`, 'g');

/** DRF's search_smart_split: words and commas part, quotes hold together. Each term once. */
export function splitSearch(search: string): string[] {
  const bits = search.match(BIT) ?? [];
  const terms = bits.flatMap((bit) => termsOfBit(BETWEEN_COMMAS.exec(bit)?.[0] ?? ''));
  return [...new Set(terms)].filter((term) => term !== '');
}

function termsOfBit(bit: string): string[] {
  const [quote] = bit;
  if ((quote === '"' || quote === "'") && bit.endsWith(quote))
    return [bit.slice(1, -1).replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\')];
  return bit.split(',').map(strip);
}

const FIELDS = ['name', 'price', 'created_at'] as const;

export interface OrderTerm {
  field: (typeof FIELDS)[number] | 'id';
  order: 'asc' | 'desc';
}
/** Ends in the id, so that it is a total one. */
export type Ordering = [OrderTerm, ...OrderTerm[]];

/** OrderingFilter's `name,-price`; what is not allowed is dropped, and of a field named twice the first counts. */
export function readOrdering(ordering = ''): Ordering {
  const terms = new Map<string, OrderTerm>();
  for (const text of ordering.split(',').map(strip)) {
    const field = FIELDS.find((name) => text === name || text === `-${name}`);
    if (field && !terms.has(field))
      terms.set(field, { field, order: text.startsWith('-') ? 'desc' : 'asc' });
  }
  const [first, ...rest] = terms.values();
  if (!first) return [{ field: 'id', order: 'desc' }];
  // In the direction of its neighbour: then an index on (field, id) serves both.
  const { order } = rest.at(-1) ?? first;
  return [first, ...rest, { field: 'id', order }];
}
