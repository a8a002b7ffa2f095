import type { Knex } from 'knex';
import type { User } from '../db.ts';
import type { Deps } from '../deps.ts';
import { OperatorError } from '../errors.ts';
import { findFirstUser } from '../users/repository.ts';
import { findNamedUser } from './named-user.ts';
import { startProgress } from './progress.ts';

const BATCH = 10_000;

export interface SeedOptions {
  products: number;
  owner?: string;
}

/** Adds demo products that differ in everything a filter can ask for. */
export async function seed({ products, owner }: SeedOptions, { db, now }: Deps): Promise<string> {
  const { id, username } = await findOwner(owner, db);
  const progress = startProgress('Products', products);
  try {
    for (let first = 1; first <= products; first += BATCH) {
      const last = Math.min(first + BATCH - 1, products);
      await db.raw(INSERT, { first, last, total: products, owner: id, now: now() });
      progress.advanceTo(last);
    }
    // Statistics of the expression indexes, and their pending entries put in place.
    await db.raw('VACUUM ANALYZE product');
  } finally {
    progress.stop();
  }
  return `Added ${products} product${products === 1 ? '' : 's'} of ${username}.`;
}

async function findOwner(name: string | undefined, db: Knex): Promise<User> {
  if (name !== undefined) return findNamedUser(name, 'Cannot add products', db);
  const first = await findFirstUser(db);
  if (!first) throw new OperatorError('Cannot add products: there is no user to own them yet.');
  return first;
}

// The strides are primes, so that names, prices and stocks don't repeat in step. A product a second up to now.
const INSERT = `
  INSERT INTO product (name, description, price, stock, owner, created_at, updated_at)
  SELECT
    (array['Oak', 'Walnut', 'Brass', 'Linen', 'Glass', 'Copper', 'Wool', 'Slate', 'Birch', 'Cotton', 'Cork'])[1 + n % 11]
      || ' ' || (array['chair', 'table', 'lamp', 'shelf', 'bowl', 'mirror', 'blanket'])[1 + n / 11 % 7] || ' ' || n,
    (array['Made by hand', 'Made to order', 'From stock', 'Second choice', 'Restored'])[1 + n % 5]
      || ', ' || (array['small', 'medium', 'large'])[1 + n % 3] || ', ' || (n % 97 + 3) || ' cm.',
    (n * 7919 % 99991 + 1) / 100.0,
    CASE WHEN n % 13 = 0 THEN 0 ELSE n * 31 % 503 END,
    :owner,
    made, made
  FROM generate_series(:first::bigint, :last::bigint) AS n,
    LATERAL (SELECT :now::timestamptz - (:total::bigint - n) * interval '1 second' AS made) AS clock`;
