import test from 'ava';
import type { OperationRequest } from '../../src/contract.ts';
import { filterProducts, readOrdering, splitSearch } from '../../src/products/filters.ts';
import { insertProduct, selectProducts } from '../../src/products/repository.ts';
import { createDatabase } from '../support/database.ts';
import { insertOwner } from './rows.ts';

type Filters = OperationRequest<'listProducts'>['query'];

const SEARCHES: [string, string[]][] = [
  ['', []],
  ['oak chair', ['oak', 'chair']],
  ['oak,chair', ['oak', 'chair']],
  [',oak, ,chair,', ['oak', 'chair']],
  [',', []],
  ['oak oak', ['oak']],
  ['"solid oak" chair', ['solid oak', 'chair']],
  ["'c d'", ['c d']],
  ['"a,b"', ['a,b']],
  ['"a,b",', ['a,b']],
  ['say "c d"', ['say', 'c d']],
  ['x"a b",c', ['x"a b"', 'c']],
  ["it's", ["it's"]],
  ['"unclosed end', ['"unclosed', 'end']],
  ['"', []],
  ['""', []],
  ['" "', [' ']],
  [String.raw`"a\"b"`, ['a"b']],
  [String.raw`"a\\b"`, [String.raw`a\b`]],
  [String.raw`back\slash`, [String.raw`back\slash`]],
  ['a\u3000b\x1cc\ufeffd', ['a', 'b', 'c\ufeffd']],
];

for (const [search, terms] of SEARCHES) {
  test(`the search ${JSON.stringify(search)} has the terms ${JSON.stringify(terms)}`, (t) => {
    t.deepEqual(splitSearch(search), terms);
  });
}

const ORDERINGS: [string | undefined, string][] = [
  [undefined, 'id desc'],
  ['', 'id desc'],
  ['price', 'price asc, id asc'],
  ['-price', 'price desc, id desc'],
  ['price,-name', 'price asc, name desc, id desc'],
  ['-created_at,name', 'created_at desc, name asc, id asc'],
  [' name ,\tprice', 'name asc, price asc, id asc'],
  ['name,name', 'name asc, id asc'],
  ['name,-name', 'name asc, id asc'],
  ['stock,name', 'name asc, id asc'],
  ['-', 'id desc'],
  ['--name', 'id desc'],
  ['+name', 'id desc'],
  ['Name', 'id desc'],
  ['id', 'id desc'],
  ['pk', 'id desc'],
  ['owner__password', 'id desc'],
  ['name;price', 'id desc'],
];

for (const [text, terms] of ORDERINGS) {
  test(`the ordering ${JSON.stringify(text)} sorts by ${terms}`, (t) => {
    const ordering = readOrdering(text);

    t.is(ordering.map(({ field, order }) => `${field} ${order}`).join(', '), terms);
  });
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';
const PRODUCTS = [
  { name: '100% wool', description: 'a_b', price: '1.50', stock: 1 },
  { name: 'back\\slash', description: "it's", price: '2.00', stock: 2 },
  { name: 'Straße', description: 'ÉCOLE', price: '3.00', stock: 3 },
  { name: 'ΣΑΣ', description: `ünder ${ALPHABET}`, price: '99999999.99', stock: 2147483647 },
];
const ALL = PRODUCTS.map(({ name }) => name);
const [WOOL = '', SLASH = '', STRASSE = '', SIGMA = ''] = ALL;

const FILTERS: [Filters, string[]][] = [
  [{}, ALL],
  [{ name: '100% wool' }, [WOOL]],
  [{ name: '100% Wool' }, []],
  [{ name__icontains: '100% WOOL' }, [WOOL]],
  [{ name__icontains: '_' }, []],
  [{ name__icontains: 'K\\S' }, [SLASH]],
  [{ name__icontains: 'straße' }, [STRASSE]],
  [{ name__icontains: 'σας' }, [SIGMA]],
  [{ search: '%' }, [WOOL]],
  [{ search: 'A_B' }, [WOOL]],
  [{ search: 'w_ol' }, []],
  [{ search: 'école straße' }, [STRASSE]],
  [{ search: 'école wool' }, []],
  [{ search: "IT'S" }, [SLASH]],
  [{ search: [...ALPHABET].join(' ') }, [SIGMA]],
  [{ search: [...ALPHABET, '0'].join(',') }, []],
  [{ price: '1.5' }, [WOOL]],
  [{ price: '1.500' }, [WOOL]],
  [{ price: '1.501' }, []],
  [{ price__lt: '2' }, [WOOL]],
  [{ price__lte: '2' }, [WOOL, SLASH]],
  [{ price__gt: '3' }, [SIGMA]],
  [{ price__gte: '3', price__lt: '4' }, [STRASSE]],
  [{ price__lt: `1${'0'.repeat(50)}` }, ALL],
  [{ price__gt: `-1${'0'.repeat(50)}` }, ALL],
  [{ stock: '2' }, [SLASH]],
  [{ stock: '1.99999999999999999999' }, [WOOL]],
  [{ stock: '-0.5' }, []],
  [{ stock: '-1' }, []],
  [{ stock: '2147483647' }, [SIGMA]],
  [{ stock: '2147483648' }, []],
  [{ stock: `1${'0'.repeat(50)}` }, []],
  [{ stock__gte: '3' }, [STRASSE, SIGMA]],
  [{ stock__gte: '2.9' }, [SLASH, STRASSE, SIGMA]],
  [{ stock__gte: '-99999999999' }, ALL],
  [{ stock__gte: '2147483648' }, []],
  [{ stock__lte: '1.9' }, [WOOL]],
  [{ stock__lte: '-1' }, []],
  [{ stock__lte: `1${'0'.repeat(50)}` }, ALL],
  [{ name__icontains: 'a', stock__gte: '3', search: 'under,école' }, []],
];

// One database for the whole table: each takes 150 MB, and a core to start.
test.serial('every filter finds the products that Django finds', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  for (const product of PRODUCTS) await insertProduct({ ...product, owner }, db);

  for (const [filters, names] of FILTERS) {
    const found = await filterProducts(selectProducts(db), filters).orderBy('product.id');

    t.deepEqual(
      found.map(({ name }) => name),
      names,
      JSON.stringify(filters),
    );
  }
});

test.serial('a selective search is answered from the trigram indexes', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  await db.raw(
    `INSERT INTO product (name, description, price, owner)
     SELECT 'chair ' || md5(i::text), 'made of ' || md5(i::text), 1, ? FROM generate_series(1, 5000) AS i`,
    [owner],
  );
  // VACUUM, as autovacuum would: it moves new entries from the GIN indexes' waiting list to where they are found fast.
  await db.raw('VACUUM ANALYZE product');

  for (const filters of [{ search: 'chair c4ca4238' }, { name__icontains: 'C4CA4238' }]) {
    const query = filterProducts(selectProducts(db), filters).orderBy('product.id', 'desc');
    const { sql, bindings } = query.limit(26).toSQL();
    const { rows } = await db.raw(`EXPLAIN (COSTS OFF) ${sql}`, bindings);
    const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n');

    t.regex(plan, /Bitmap Index Scan on product_name_trgm_idx/);
    t.is((await query).length, 1);
  }
});
