import test from 'ava';
import type { Knex } from 'knex';
import { ServiceUnavailable } from '../../src/errors.ts';
import { filterProducts, readOrdering } from '../../src/products/filters.ts';
import { findMatches, plannedForMany } from '../../src/products/matches.ts';

import { insertProduct, selectProducts } from '../../src/products/repository.ts';
import { seek } from '../../src/products/seek.ts';
import type { ProductQuery } from '../../src/products/repository.ts';
import { testConfig } from '../support/config.ts';
import { SERVER, createDatabase } from '../support/database.ts';
import { insertOwner } from './rows.ts';

const onServer = SERVER === undefined ? test.skip : test;
const FIRST = { offset: 0, reverse: false, positions: [], id: undefined };

async function insertMany(db: Knex): Promise<void> {
  const owner = await insertOwner(db);
  // Each within the time that a statement has.
  for (let first = 1; first < 20_000; first += 4000)
    await db.raw(
      `INSERT INTO product (name, description, price, stock, owner)
       SELECT 'chair ' || i, CASE WHEN i % 40 = 0 THEN 'solid birch' WHEN i % 2 = 0 THEN 'walnut' ELSE '' END,
         i, i % 7, :owner FROM generate_series(:first::int, :first::int + 3999) AS i`,
      { owner, first },
    );
  await db.raw('VACUUM ANALYZE product');
}

function search(text: string, ordering: string, db: Knex): ProductQuery {
  const products = filterProducts(selectProducts(db), { search: text });
  return plannedForMany(seek(products, readOrdering(ordering), FIRST), 26, db);
}

async function planOf(query: ProductQuery, db: Knex): Promise<string> {
  const { sql, bindings } = query.toSQL();
  const { rows } = await db.raw(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${sql}`, bindings);
  return rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n');
}

test('a search that few products match enters its index, one that many match walks the ordering', async (t) => {
  const db = await createDatabase(t);
  await insertMany(db);

  for (const ordering of ['', 'price', '-name']) {
    const few = await planOf(search('birch', ordering, db), db);
    t.regex(few, /Bitmap Index Scan on product_description_trgm_idx/, ordering);
    t.notRegex(few, /Index Scan (Backward )?using/, ordering);

    const many = await planOf(search('chair', ordering, db), db);
    t.regex(
      many,
      /Index Scan (Backward )?using product_\w+ on product \(actual rows=26\b/,
      ordering,
    );
    t.notRegex(many, /Sort|trgm/, ordering);
  }
});

test('rows come in the order that was asked for, whichever way they are found', async (t) => {
  const db = await createDatabase(t);
  await insertMany(db);

  for (const text of ['birch', 'chair', 'walnut', 'birch c'])
    for (const ordering of ['', 'price', '-name,price', 'created_at']) {
      const products = filterProducts(selectProducts(db), { search: text });
      const plain = await seek(products, readOrdering(ordering), FIRST).limit(26);
      t.deepEqual(await search(text, ordering, db), plain, `${text} ${ordering}`);
    }
});

test('a term without three characters in a row reads no trigram index', async (t) => {
  const db = await createDatabase(t);
  await insertMany(db);

  for (const text of ['zz', '%', '_', 'é', 'a b c d e f g h i j k l m n o p q r s t u v']) {
    const plan = await planOf(search(text, '', db), db);
    t.notRegex(plan, /trgm/, text);
  }
  const mixed = await planOf(search('zz birch', '', db), db);
  t.is(mixed.match(/_trgm_idx/g)?.length, 2, 'the longer one is looked up in both');
});

onServer(
  'searches that take long leave connections to others, and wait no longer than these',
  async (t) => {
    const db = await createDatabase(t);
    await insertProduct({ name: 'chair', price: '1.00', owner: await insertOwner(db) }, db);
    const config = { ...testConfig(), DATABASE_POOL_SIZE: 3 };
    const slow = () => {
      const products = selectProducts(db).whereRaw("pg_sleep(0.7)::text = ''");
      return findMatches(products, { config, db })(readOrdering(), FIRST, 26);
    };
    const ends: string[] = [];
    const searches = Array.from({ length: 4 }, () => slow().finally(() => ends.push('search')));

    await db.raw('SELECT 1').then(() => ends.push('other'));
    const outcomes = await Promise.allSettled(searches);

    t.is(ends[0], 'other');
    t.deepEqual(
      outcomes.map((one) =>
        one.status === 'fulfilled' ? 200 : one.reason instanceof ServiceUnavailable && 503,
      ),
      [200, 200, 503, 503],
    );
  },
);
