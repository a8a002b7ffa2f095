import type { Knex } from 'knex';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { RequestDeps } from '../deps.ts';
import { ServiceUnavailable } from '../errors.ts';
import { rowsOf } from '../statement.ts';
import type { Product, ProductQuery } from './repository.ts';
import { seek } from './seek.ts';
import type { FindProducts } from './seek.ts';

// What a few rows cost depends on how many match, which the planner guesses. For a few, it would walk the whole
// ordering in the hope of meeting them soon, and never does where nothing matches.
const PLANNED_ROWS = 2000;

/** Finds products among those that filters leave, in a slot for queries of unknown cost. */
export const findMatches =
  (products: ProductQuery, { config, db }: Pick<RequestDeps, 'config' | 'db'>): FindProducts =>
  (ordering, cursor, limit) => {
    const page = plannedForMany(seek(products, ordering, cursor), limit, db);
    return inSlot(db, config.DATABASE_POOL_SIZE, () => rowsOf(page, db));
  };

/**
 * The query planned as if many more were wanted: by an index on the filters, unless so many rows match that a walk
 * meets thousands of them soon. The rows come out of WITH one by one and in order, so that no more are made than are
 * asked for.
 */
export function plannedForMany(products: ProductQuery, count: number, db: Knex): ProductQuery {
  const many = products.limit(Math.max(PLANNED_ROWS, count));
  return db
    .withMaterialized('page', many)
    .from<Product>('page')
    .select<Product[]>('*')
    .limit(count);
}

// As long as others wait for a connection.
const PATIENCE_MS = 1000;

const slots = new WeakMap<Knex, LimitFunction>();

// A search that no index can help runs into the time-out of statements. However many there are of them, they leave
// half of the connections to everybody else; those that wait for too long are told so as soon as one has ended.
async function inSlot<Result>(
  db: Knex,
  connections: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const limit = slots.get(db) ?? pLimit(Math.max(1, Math.floor(connections / 2)));
  slots.set(db, limit);
  const deadline = performance.now() + PATIENCE_MS;
  return limit(() => {
    if (performance.now() > deadline) throw new ServiceUnavailable();
    return work();
  });
}
