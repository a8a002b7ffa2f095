import test from 'ava';
import { NotFound } from '../../src/errors.ts';
import {
  changeProduct,
  deleteProduct,
  getProduct,
  insertProduct,
  productOwner,
} from '../../src/products/repository.ts';
import { createDatabase } from '../support/database.ts';
import { insertOwner } from './rows.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('a product is returned as it goes out, and found again', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);

  const product = await insertProduct({ name: 'Chair', price: '49.9', owner }, db);

  const { id, created_at, updated_at, ...fields } = product;
  t.deepEqual(fields, { name: 'Chair', description: '', price: '49.90', stock: 0, owner });
  t.regex(created_at, TIME);
  t.is(updated_at, created_at);
  t.deepEqual(await getProduct(id, db), product);
  t.is(await productOwner(id, db), owner);
});

test.serial('a field left out of a change stays, and updated_at moves', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  const before = await insertProduct(
    { name: 'Chair', description: 'Soft.', price: '1', stock: 7, owner },
    db,
  );
  await db.raw(`UPDATE product SET updated_at = '2001-01-01T00:00:00Z'`);

  const changed = await changeProduct(before.id, { price: '2.5', stock: undefined }, db);
  const untouched = await changeProduct(before.id, {}, db);

  t.deepEqual(changed, { ...before, price: '2.50', updated_at: changed.updated_at });
  t.true(changed.updated_at >= before.updated_at);
  t.deepEqual(untouched, { ...changed, updated_at: untouched.updated_at });
});

test.serial('times are UTC text, without a fraction where it is zero', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  const { id } = await insertProduct({ name: 'Chair', price: '1', owner }, db);
  await db.raw(`UPDATE product SET created_at = '2026-02-01T01:59:59+02:00',
    updated_at = '2026-01-31T23:59:59.000120Z'`);

  const product = await getProduct(id, db);

  t.is(product.created_at, '2026-01-31T23:59:59Z');
  t.is(product.updated_at, '2026-01-31T23:59:59.000120Z');
});

test.serial('a deleted product is not found, nor is any number that is no id', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  const { id } = await insertProduct({ name: 'Chair', price: '1', owner }, db);

  await deleteProduct(id, db);

  for (const absent of [id, 0, -1, 2 ** 53, 1e20, 1e300, Infinity, NaN]) {
    for (const question of [getProduct, productOwner, deleteProduct]) {
      const error = await t.throwsAsync(question(absent, db), { instanceOf: NotFound });
      t.deepEqual(error?.body, { detail: 'No Product matches the given query.' });
    }
    await t.throwsAsync(changeProduct(absent, { name: 'x' }, db), { instanceOf: NotFound });
  }
});

test.serial('the products of a user go with the user', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  const { id } = await insertProduct({ name: 'Chair', price: '1', owner }, db);

  await db('users').where({ id: owner }).delete();

  await t.throwsAsync(getProduct(id, db), { instanceOf: NotFound });
});

test.serial('of two changes at once, neither loses the other field', async (t) => {
  const db = await createDatabase(t);
  const owner = await insertOwner(db);
  const { id } = await insertProduct({ name: 'Chair', price: '1', owner }, db);

  await Promise.all([changeProduct(id, { stock: 5 }, db), changeProduct(id, { price: '2' }, db)]);

  t.like(await getProduct(id, db), { stock: 5, price: '2.00' });
});
