import { deepEqual } from 'node:assert/strict';
import test from 'ava';
import type { Knex } from 'knex';
import { NotFound } from '../../src/errors.ts';
import { decodeCursor } from '../../src/cursor.ts';
import { readOrdering } from '../../src/products/filters.ts';
import { paginate } from '../../src/products/pagination.ts';
import { insertProduct, selectProducts } from '../../src/products/repository.ts';
import { findAmong, findAmongAll, seek } from '../../src/products/seek.ts';
import { createDatabase } from '../support/database.ts';
import { insertOwner } from './rows.ts';

const URL_OF_LIST = 'https://shop.example.com/products/';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The page at a URL of the list, with the links as `o=2&p=0.00`. */
async function pageAt(href: string, db: Knex) {
  const { origin, pathname: path, searchParams: search } = new URL(href);
  const parameter = (name: string): string | undefined => search.get(name) ?? undefined;
  const request = {
    ordering: readOrdering(parameter('ordering')),
    cursor: parameter('cursor'),
    size: Number(parameter('page_size') ?? 25),
    url: { origin, path, search },
  };
  const page = await paginate(findAmongAll(db), request);
  // A statement of its own must find what the query of a filter that all rows pass does.
  deepEqual(await paginate(findAmong(selectProducts(db), db), request), page);
  return { ...page, ids: page.results.map(({ id }) => id) };
}

function cursorText(link: string | null): string | null {
  const cursor = link && new URL(link).searchParams.get('cursor');
  return cursor && Buffer.from(cursor, 'base64').toString();
}

async function walk(href: string, direction: 'next' | 'previous', db: Knex) {
  const pages: number[][] = [];
  let link: string | null = href;
  let last = href;
  // A page without end would be DRF's answer to more than a thousand equals.
  while (link !== null && pages.length < 10_000) {
    last = link;
    const page: Awaited<ReturnType<typeof pageAt>> = await pageAt(link, db);
    if (direction === 'next') pages.push(page.ids);
    else pages.unshift(page.ids);
    link = page[direction];
  }
  return { ids: pages.flat(), last };
}

/** What PostgreSQL itself sorts. */
async function sortedIds(orderBy: string, db: Knex): Promise<number[]> {
  const { rows } = await db.raw(`SELECT id FROM product ORDER BY ${orderBy}`);
  return rows.map(({ id }: { id: number }) => id);
}

async function insertPriced(prices: string[], db: Knex): Promise<void> {
  const owner = await insertOwner(db);
  for (const [index, price] of prices.entries())
    await insertProduct({ name: `pgn ${'abcdefghij'[index]}`, price, owner }, db);
}

const RECORDED = ['1.00', '2.00', '0.00', '1.00', '2.00', '0.00', '1.00'];

// Cursor in, ids out, cursors out: as Django REST framework answered, its artefacts on turning back included.
const PAGES: [string, string, number[], string | null, string | null][] = [
  ['page_size=3', '', [7, 6, 5], 'p=5', null],
  ['page_size=3', 'p=5', [4, 3, 2], 'p=2', 'r=1&p=4'],
  ['page_size=3', 'p=2', [1], null, 'r=1&p=1'],
  ['page_size=3', 'r=1&p=1', [4, 3, 2], 'p=2', 'r=1&p=4'],
  ['page_size=3', 'r=1&p=4', [7, 6, 5], 'p=5', null],
  ['page_size=7', '', [7, 6, 5, 4, 3, 2, 1], null, null],
  ['page_size=2', 'o=100', [], null, 'r=1'],
  ['page_size=2', 'r=1', [2, 1], null, 'r=1&p=2'],
  ['page_size=2', 'p=99999999999999999999', [7, 6], 'p=6', 'r=1&p=7'],
  ['page_size=2', 'p=-99999999999999999999', [], null, 'r=1&p=-99999999999999999999'],
  ['page_size=2&ordering=price,name', '', [3, 6], 'p=0.00', null],
  ['page_size=2&ordering=price,name', 'p=0.00', [1, 4], 'o=2&p=0.00', 'r=1&p=1.00'],
  ['page_size=2&ordering=price,name', 'o=2&p=0.00', [7, 2], 'o=1&p=1.00', 'o=1&r=1&p=2.00'],
  ['page_size=2&ordering=price,name', 'o=1&p=1.00', [5], null, 'o=2&r=1'],
  ['page_size=2&ordering=price,name', 'o=2&r=1', [4, 7], 'p=1.00', 'o=4&r=1'],
  ['page_size=2&ordering=price', 'r=1&p=2.0', [4, 7], 'p=1.00', 'o=2&r=1&p=2.0'],
  ['page_size=4&ordering=-name', '', [7, 6, 5, 4], 'p=pgn d', null],
  ['page_size=4&ordering=-name', 'p=pgn+d', [3, 2, 1], null, 'r=1&p=pgn c'],
  ['page_size=2&ordering=name', 'p=pgn+b', [3, 4], 'p=pgn d', 'r=1&p=pgn c'],
];

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('pages and their cursors are the recorded ones', async (t) => {
  const db = await createDatabase(t);
  await insertPriced(RECORDED, db);

  for (const [query, cursor, ids, next, previous] of PAGES) {
    const suffix = cursor && `&cursor=${encodeURIComponent(base64(cursor))}`;
    const page = await pageAt(`${URL_OF_LIST}?${query}${suffix}`, db);

    const links = [page.next, page.previous].map((link) => cursorText(link)?.replace('+', ' '));
    const wanted = [ids, next ?? undefined, previous ?? undefined];
    t.deepEqual([page.ids, ...links], wanted, `${query} ${cursor}`);
  }
});

const UNFIT: [string, string][] = [
  ['', 'p='],
  ['', "p=1' OR 1=1"],
  ['', 'p=%00'],
  ['', 'p=1.5'],
  ['price', 'p=cheap'],
  ['price', 'p=NaN'],
  ['price', 'p=1e5'],
  ['name', 'p=a%00b'],
  ['created_at', 'p=yesterday'],
  ['created_at', 'p=2026-02-30+00:00:00%2B00:00'],
  ['created_at', 'p=2026-01-01+24:00:00%2B00:00'],
  ['created_at', 'p=0000-01-01+00:00:00%2B00:00'],
  ['price', 'p=1.00&i=x'],
  ['price', 'i=5'],
  ['price,name', 'p=1.00&i=5'],
];

test.serial('a position that does not fit the column is an invalid cursor', async (t) => {
  const db = await createDatabase(t);

  for (const [ordering, cursor] of UNFIT) {
    const href = `${URL_OF_LIST}?ordering=${ordering}&cursor=${encodeURIComponent(base64(cursor))}`;
    const error = await t.throwsAsync(pageAt(href, db), { instanceOf: NotFound }, cursor);

    t.deepEqual(error?.body, { detail: 'Invalid cursor' });
  }
});

test.serial(
  'links keep the other parameters, sorted by name and escaped as by Python',
  async (t) => {
    const db = await createDatabase(t);
    await insertPriced(['1', '2'], db);

    const page = await pageAt(`${URL_OF_LIST}?x=2&page_size=1&x=1&b=~*'&a=%zz&e&cursor=`, db);

    t.is(page.next, `${URL_OF_LIST}?a=%25zz&b=~%2A%27&cursor=cD0y&e=&page_size=1&x=2&x=1`);
  },
);

test.serial('a cursor of a time holds it as Django prints it, to the microsecond', async (t) => {
  const db = await createDatabase(t);
  await insertPriced(['1', '1', '1'], db);
  for (const [id, time] of ['23:59:58Z', '23:59:59.123456Z', '23:59:59.123457Z'].entries())
    await db.raw('UPDATE product SET created_at = ? WHERE id = ?', [`2026-01-31T${time}`, id + 1]);

  const first = await pageAt(`${URL_OF_LIST}?ordering=created_at&page_size=1`, db);
  const second = await pageAt(first.next ?? '', db);
  const third = await pageAt(second.next ?? '', db);

  t.is(cursorText(first.next), 'p=2026-01-31+23%3A59%3A58%2B00%3A00');
  t.is(cursorText(second.next), 'p=2026-01-31+23%3A59%3A59.123456%2B00%3A00');
  t.deepEqual([first.ids, second.ids, third.ids, third.next], [[1], [2], [3], null]);
});

test.serial('a walk either way visits each row once, whatever is equal', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  // Three prices and one time for 3000 rows: DRF's offset ends at 1000 equals.
  await db.raw(
    `INSERT INTO product (name, price, owner, created_at)
     SELECT 'name ' || i % 7, i % 3, ?, '2026-01-31T23:59:59Z' FROM generate_series(1, 3000) AS i`,
    [owner],
  );
  const orderings: [string, string][] = [
    ['', 'id DESC'],
    ['price', 'price, id'],
    ['-price', 'price DESC, id DESC'],
    ['created_at', 'created_at, id'],
    ['price,-name', 'price, name DESC, id DESC'],
  ];

  for (const [ordering, sql] of orderings) {
    const ids = await sortedIds(sql, db);
    for (const size of [90, 1100]) {
      const href = `${URL_OF_LIST}?ordering=${ordering}&page_size=${size}`;
      const forward = await walk(href, 'next', db);
      const backward = await walk(`${href}&cursor=${base64('r=1')}`, 'previous', db);

      t.deepEqual(forward.ids, ids, `${ordering} by ${size}`);
      t.deepEqual(backward.ids, ids, `${ordering} by ${size}, backwards`);
    }
  }
});

test.serial('a walk turns where it is among more equals than DRF counts', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  await db.raw(
    `INSERT INTO product (name, price, owner) SELECT 'same', 1, ? FROM generate_series(1, 1500)`,
    [owner],
  );

  const { last } = await walk(`${URL_OF_LIST}?ordering=price&page_size=70`, 'next', db);
  const { previous } = await pageAt(last, db);
  const before = await pageAt(previous ?? '', db);
  const again = await pageAt(before.next ?? '', db);

  const lastPage = await pageAt(last, db);
  t.is(before.ids.at(-1), (lastPage.ids[0] ?? 0) - 1);
  t.deepEqual(again.ids, lastPage.ids);
});

test.serial('page 400 is found as page 1 is: by walking the index, without a sort', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  await db.raw(
    `INSERT INTO product (name, price, stock, owner, created_at)
     SELECT 'name ' || i, i % 50, i % 10, ?, now() - i * interval '1 s' FROM generate_series(1, 12000) AS i`,
    [owner],
  );
  await db.raw('VACUUM ANALYZE product');
  const orderings: [string, string, string][] = [
    ['', 'p=2000', 'product_pkey'],
    ['price', 'p=40.00', 'product_price_idx'],
    ['-price', 'p=40.00&i=9000', 'product_price_idx'],
    ['name', 'r=1&p=name+7', 'product_name_idx'],
    ['-created_at', 'p=2026-01-31+23:59:59%2B00:00', 'product_created_at_idx'],
  ];

  for (const [ordering, deep, index] of orderings)
    for (const cursor of ['', deep]) {
      const query = seek(selectProducts(db), readOrdering(ordering), decodeCursor(base64(cursor)));
      const { sql, bindings } = query.limit(26).toSQL();
      const { rows } = await db.raw(`EXPLAIN (COSTS OFF) ${sql}`, bindings);
      const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']);

      t.is(plan[0], 'Limit');
      t.regex(plan[1], new RegExp(`^  ->  Index Scan (Backward )?using ${index} on product$`));
      t.is(plan.length, cursor === '' ? 2 : 3, 'one condition, of the index');
    }
});
