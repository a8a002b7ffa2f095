import test from 'ava';
import type { ExecutionContext } from 'ava';
import { OperatorError } from '../../src/errors.ts';
import { seed } from '../../src/commands/seed.ts';
import type { Deps } from '../../src/deps.ts';
import { insertUser } from '../../src/users/repository.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase } from '../support/database.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

async function createDeps(t: ExecutionContext): Promise<Deps> {
  return { config: testConfig(), db: await createDatabase(t), now: () => NOW };
}

test('more products than fit in a batch are added, and differ', async (t) => {
  const deps = await createDeps(t);
  const { id } = await insertUser({ username: 'first', password: '!' }, deps.db);
  await insertUser({ username: 'second', password: '!' }, deps.db);

  t.is(await seed({ products: 10_001 }, deps), 'Added 10001 products of first.');

  const { rows } = await deps.db.raw(
    `SELECT count(*), count(DISTINCT name) AS names, count(DISTINCT price) AS prices, min(stock) AS least,
       count(*) FILTER (WHERE stock > 100) > 1000 AS stocked, max(created_at) AS newest,
       min(owner) AS owner, max(owner) AS other
     FROM product`,
  );
  t.deepEqual(rows, [
    {
      count: 10_001,
      names: 10_001,
      prices: 10_001,
      least: 0,
      stocked: true,
      newest: NOW,
      owner: id,
      other: id,
    },
  ]);
});

test('products can be given to another user, and to nobody', async (t) => {
  const deps = await createDeps(t);

  await t.throwsAsync(seed({ products: 1 }, deps), {
    instanceOf: OperatorError,
    message: 'Cannot add products: there is no user to own them yet.',
  });
  await insertUser({ username: 'first', password: '!' }, deps.db);
  const { id } = await insertUser({ username: 'second', password: '!' }, deps.db);
  await t.throwsAsync(seed({ products: 1, owner: 'nobody' }, deps), {
    instanceOf: OperatorError,
    message: 'Cannot add products: user nobody does not exist.',
  });
  t.is(await seed({ products: 1, owner: 'second' }, deps), 'Added 1 product of second.');
  t.deepEqual(await deps.db('product').select('owner'), [{ owner: id }]);
});
