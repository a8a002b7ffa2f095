import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { sweep } from '../../src/jwt/sweeper.ts';
import { insertProduct } from '../../src/products/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer, RequestOptions } from '../support/client.ts';
import { connectTo, createServerDatabase, SERVER } from '../support/database.ts';
import { until } from '../support/eventually.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';

const onServer = SERVER === undefined ? test.skip : test;
const onEmbedded = SERVER === undefined ? test : test.skip;
const never = new AbortController().signal;

const CHAIR = { name: 'Chair', price: '5.00' };
const RUNNING = { detail: 'A request with this idempotency key is still running.' };
const REUSED = { detail: 'This idempotency key was used for another request.' };

async function add(
  { client }: Pick<TestApp, 'client'>,
  { token }: Pick<TestUser, 'token'>,
  key: string | undefined,
  options: RequestOptions = { json: CHAIR },
): Promise<Answer> {
  return client.post('/products/', {
    authorization: `Token ${token}`,
    ...options,
    headers: { ...options.headers, ...(key !== undefined && { 'Idempotency-Key': key }) },
  });
}

async function countOf(table: string, { db }: TestApp): Promise<number> {
  return Number((await db(table).count('* as n').first())?.n);
}

/** What of an answer must be the same in a replay. */
const gist = ({ status, text, headers }: Answer): unknown[] => [
  status,
  text,
  ...['etag', 'content-type', 'allow', 'vary'].map((name) => headers.get(name)),
];
const replayed = ({ headers }: Answer): string | null => headers.get('idempotency-replayed');

test('a request that is sent again adds nothing, and is answered as it was, whatever happened since', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const key = randomUUID();

  const first = await add(app, user, key);
  const { id } = first.body as { id: number };
  await app.db('product').where({ id }).update({ stock: 7 });
  const second = await add(app, user, key);
  await app.db('product').delete();
  const third = await add(app, user, `"${key}"`, { form: CHAIR });

  t.deepEqual([first, second, third].map(replayed), ['false', 'true', 'true']);
  t.is(first.status, 201);
  t.deepEqual(gist(second), gist(first));
  t.deepEqual(gist(third), gist(first));
  t.is(await countOf('product', app), 0);
  const without = [await add(app, user, undefined), await add(app, user, undefined)];
  t.deepEqual(without.map(replayed), [null, null]);
  t.deepEqual([await countOf('product', app), await countOf('idempotency_key', app)], [2, 1]);
});

test('a key is one of the user, not of a token, nor of anybody else', async (t) => {
  const app = await startApp(t);
  const [user, other] = [await createUser(app), await createUser(app)];

  const first = await add(app, user, 'k');
  const theirs = await add(app, other, 'k');
  const { access } = await logIn(app, user);
  const again = await add(app, user, 'k', { json: CHAIR, authorization: `Bearer ${access}` });
  const rotated = await app.client.post('/auth/token/rotate/', {
    authorization: `Token ${user.token}`,
  });
  const late = await add(app, rotated.body as { token: string }, 'k');

  t.deepEqual([first, theirs, again, late].map(replayed), ['false', 'false', 'true', 'true']);
  t.deepEqual([again, late].map(gist), [gist(first), gist(first)]);
  t.is(await countOf('product', app), 2);
  await app.db('users').where({ id: user.id }).delete();
  t.deepEqual(await app.db('idempotency_key').select('user_id'), [{ user_id: other.id }]);
});

test('a key is good for one request: another body is refused, and the same one in other words is not', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  await add(app, user, 'k', { json: { ...CHAIR, description: 'Soft.' } });
  const others = [{}, { description: '' }, { description: 'Soft.', stock: 0 }, { name: 'chair' }];

  for (const other of others) {
    const refused = await add(app, user, 'k', { json: { ...CHAIR, ...other } });
    t.deepEqual([other, refused.status, refused.body], [other, 422, REUSED]);
    t.is(replayed(refused), null);
  }
  const same = { colour: 'red', description: ' Soft. ', price: 5.0, name: 'Chair' };
  t.is((await add(app, user, 'k', { json: { ...same, price: '5.00' } })).status, 201);
  t.is(await countOf('product', app), 1);
});

test('what was refused can be put right under the same key', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const refused = await add(app, user, 'k', { json: { name: 'Chair' } });
  const unread = await add(app, user, 'k', {
    raw: '{',
    headers: { 'Content-Type': 'application/json' },
  });
  // The database refuses it in the midst of the transaction.
  await app.db.raw('CREATE UNIQUE INDEX one_of_a_name ON product (name)');
  await insertProduct({ ...CHAIR, owner: user.id }, app.db);
  const failed = await add(app, user, 'k');
  await app.db.raw('DROP INDEX one_of_a_name');
  const added = await add(app, user, 'k');

  t.deepEqual([refused.status, unread.status, failed.status], [400, 400, 400]);
  t.deepEqual([added.status, replayed(added)], [201, 'false']);
  t.deepEqual([await countOf('product', app), await countOf('idempotency_key', app)], [2, 1]);
});

const MALFORMED = { 'Idempotency-Key': ['This value does not match the required pattern.'] };
const KEYS: [key: string | string[], status: number][] = [
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', 201],
  ['"8e03978e-40d5-43dd-bc93-6894a57f9325"', 201],
  ['a', 201],
  ['Az09._~:/+=-', 201],
  ['k'.repeat(255), 201],
  [`"${'q'.repeat(255)}"`, 201],
  ['', 400],
  ['""', 400],
  ['k'.repeat(256), 400],
  ['"k', 400],
  ['k"', 400],
  ['k k', 400],
  ['k,k', 400],
  [['k1', 'k2'], 400],
  ["'k'", 400],
  ['é', 400],
  ['k;a=1', 400],
];

test('a key is 1 to 255 plain characters, in quotes or without', async (t) => {
  const app = await startApp(t);
  const { token } = await createUser(app);

  for (const [key, status] of KEYS) {
    const answer = await app.client.post('/products/', {
      authorization: `Token ${token}`,
      json: CHAIR,
      headers: { 'Idempotency-Key': key },
    });
    t.deepEqual([key, answer.status], [key, status]);
    if (status === 400) t.deepEqual(answer.body, MALFORMED);
  }
});

test('a key is forgotten after IDEMPOTENCY_KEY_LIFETIME, swept or not', async (t) => {
  const app = await startApp(t, { IDEMPOTENCY_KEY_LIFETIME: '2h' });
  const user = await createUser(app);
  await add(app, user, 'k');

  app.clock.advance(7_199);
  t.is(replayed(await add(app, user, 'k')), 'true');
  app.clock.advance(1);
  t.is(replayed(await add(app, user, 'k', { json: { ...CHAIR, stock: 1 } })), 'false');
  app.clock.advance(7_000);
  t.is(replayed(await add(app, user, 'k', { json: { ...CHAIR, stock: 1 } })), 'true');
  t.like(await sweep(app.deps, never), { idempotency_key: 0 });
  app.clock.advance(1_000);
  t.like(await sweep(app.deps, never), { idempotency_key: 1 });
  t.is(await countOf('product', app), 2);
});

onEmbedded(
  'while the first request of a key is answered, another one is told to come back',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    // The one session of an embedded database never waits for itself: this is what it would see of another.
    await app.db.raw(`CREATE FUNCTION pg_try_advisory_xact_lock(bigint) RETURNS boolean
    LANGUAGE sql AS 'SELECT false'`);
    await app.db.raw('SET search_path = public, pg_catalog');

    const early = await add(app, user, 'k');

    t.deepEqual([early.status, early.body], [409, RUNNING]);
    t.is(early.headers.get('retry-after'), '1');
    const problem = await add(app, user, 'k', {
      json: CHAIR,
      headers: { Accept: 'application/problem+json' },
    });
    t.like(problem.body, { ...RUNNING, status: 409, code: 'idempotency_conflict' });
    t.is(replayed(early), null);
  },
);

test('of 20 concurrent requests with one key one adds a product, and the others tell of it or to come back', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  const answers = await Promise.all(Array.from({ length: 20 }, () => add(app, user, 'k')));

  const made = answers.filter((answer) => replayed(answer) === 'false');
  const repeated = answers.filter((answer) => replayed(answer) === 'true');
  const early = answers.filter(({ status }) => status === 409);
  t.is(made.length, 1);
  t.is(repeated.length + early.length, 19);
  t.deepEqual(new Set([...made, ...repeated].map(({ text }) => text)).size, 1);
  t.is(await countOf('product', app), 1);
});

/** The service on a server where products are added as soon as `letGo` is called, and not before. */
async function startHeld(t: ExecutionContext) {
  const times = { connectTimeout: 30_000, statementTimeout: 60_000 };
  const db = await connectTo(t, await createServerDatabase(t, SERVER ?? ''), times);
  const app = await startApp(t, {}, { db });
  const user = await createUser(app);
  await db.raw(`CREATE FUNCTION wait_in_turn() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = '60s' AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$`);
  await db.raw('CREATE TRIGGER held BEFORE INSERT ON product EXECUTE FUNCTION wait_in_turn()');
  const holder = await db.transaction();
  await holder.raw('SELECT pg_advisory_xact_lock(1)');
  const waiting = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
  const isWaiting = async (): Promise<boolean> =>
    (await db.raw(`SELECT pid ${waiting}`)).rows.length > 0;
  const kill = async () => db.raw(`SELECT pg_terminate_backend(pid) ${waiting}`);
  return { ...app, user, isWaiting, kill, letGo: async () => holder.rollback() };
}

onServer('a second request is refused at once while the first waits', async (t) => {
  const { user, isWaiting, letGo, ...app } = await startHeld(t);

  const running = add(app, user, 'k');
  await until(isWaiting);
  const [early, ...others] = await Promise.all([1, 2, 3].map(() => add(app, user, 'k')));
  await letGo();
  const first = await running;
  const late = await add(app, user, 'k');

  t.deepEqual([early?.status, early?.body], [409, RUNNING]);
  t.deepEqual(
    others.map(({ status }) => status),
    [409, 409],
  );
  t.deepEqual(gist(late), gist(first));
  t.deepEqual([first, late].map(replayed), ['false', 'true']);
  t.is(await countOf('product', app), 1);
});

onServer('a request whose session is killed leaves neither a product nor a key', async (t) => {
  const { user, isWaiting, kill, letGo, ...app } = await startHeld(t);

  const running = add(app, user, 'k');
  await until(isWaiting);
  await kill();
  const killed = await running;
  await letGo();
  const again = await add(app, user, 'k');

  t.is(killed.status, 503);
  t.deepEqual([again.status, replayed(again)], [201, 'false']);
  t.is(await countOf('product', app), 1);
});

onServer(
  'an answer that somebody has kept in the meantime stays, and the product is not added',
  async (t) => {
    const { user, isWaiting, letGo, ...app } = await startHeld(t);
    const kept = {
      user_id: user.id,
      operation: 'createProduct',
      key: 'k',
      fingerprint: Buffer.alloc(32),
      status: 201,
      body: '{}',
      expires_at: new Date(app.clock.now().getTime() + 1000),
    };

    const running = add(app, user, 'k');
    await until(isWaiting);
    await app.db('idempotency_key').insert(kept);
    await letGo();
    const refused = await running;

    t.deepEqual([refused.status, refused.body], [409, RUNNING]);
    t.deepEqual([await countOf('product', app), await countOf('idempotency_key', app)], [0, 1]);
  },
);
