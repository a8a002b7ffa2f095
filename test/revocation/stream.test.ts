import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Knex } from 'knex';
import type { RequestDeps } from '../../src/deps.ts';
import { authenticateJwtOf } from '../../src/jwt/tokens.ts';
import { createLog } from '../../src/log.ts';
import { startLive } from '../../src/revocation/live.ts';
import { claimsOf, withClaims } from '../jwt/forge.ts';
import { startApp } from '../support/app.ts';
import { testConfig } from '../support/config.ts';
import {
  channelOf,
  connectTo,
  createDatabase,
  createServerDatabase,
  SERVER,
} from '../support/database.ts';
import { createDeps } from '../support/deps.ts';
import { createUser, logIn } from '../support/factories.ts';
import { until } from '../support/eventually.ts';
import { startProxy } from '../support/proxy.ts';

const onServer = SERVER === undefined ? test.skip : test;

const revoke = async (subject: string, db: Knex): Promise<void> => {
  await db.raw("SELECT note_revocation('family', ?)", [subject]);
};

test('a revocation is heard of without asking, and one that is rolled back is not', async (t) => {
  const { db, live } = await createDeps(t, testConfig());

  await t.throwsAsync(
    db.transaction(async (trx) => {
      await revoke('undone', trx);
      throw new Error('undone');
    }),
  );
  await revoke('done', db);

  await until(() => live.isRevoked('family', 'done'));
  t.false(live.isRevoked('family', 'undone'));
});

test('whoever starts learns what was revoked within the life of a token, and no more', async (t) => {
  const db = await createDatabase(t);
  await revoke('old', db);
  await db('revocation').update({ revoked_at: new Date(Date.now() - 10 * 60_000) });
  await revoke('new', db);

  const { live } = await createDeps(t, testConfig({ ACCESS_TOKEN_LIFETIME: '5m' }), { db });

  t.true(live.isFresh());
  t.true(live.isRevoked('family', 'new'));
  t.false(live.isRevoked('family', 'old'));
});

test('who has caught up knows all that was committed before', async (t) => {
  const { db, live } = await createDeps(t, testConfig());

  for (let round = 0; round < 20; round += 1) {
    await revoke(`f${round}`, db);
    await live.catchUp();
    t.true(live.isRevoked('family', `f${round}`));
  }
});

test('an account that changes by whatever way is read anew', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const authorization = `Bearer ${(await logIn(app, user)).access}`;
  t.is((await app.client.get('/products/', { authorization })).status, 200);

  await app.db('users').where({ id: user.id }).update({ is_active: false });
  await app.deps.live.catchUp();

  const answer = await app.client.get('/products/', { authorization });
  t.deepEqual(
    [answer.status, answer.body],
    [401, { detail: 'User is inactive', code: 'user_inactive' }],
  );
});

test('sessions of a deactivated account do not come back with it', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access, refresh } = await logIn(app, user);

  await app.db('users').where({ id: user.id }).update({ is_active: false });
  await app.db('users').where({ id: user.id }).update({ is_active: true });
  await app.deps.live.catchUp();

  const answer = await app.client.get('/products/', { authorization: `Bearer ${access}` });
  t.is(answer.status, 401);
  t.is((await app.client.post('/refresh_token/', { json: { refresh } })).status, 401);
  t.deepEqual(await app.db('users').where({ id: user.id }).select('token_version'), [
    { token_version: 1 },
  ]);
});

test('more revocations than fit on a page are all learnt, at the start and later', async (t) => {
  const db = await createDatabase(t);
  const many = (from: number): Promise<unknown> =>
    db.raw(
      `INSERT INTO revocation (kind, subject)
       SELECT 'family', 'f' || n FROM generate_series(?::int, ?::int) AS n`,
      [from, from + 11_999],
    );
  await many(0);
  const { live } = await createDeps(t, testConfig(), { db });
  for (const number of [0, 5000, 11_999]) t.true(live.isRevoked('family', `f${number}`));

  await many(20_000);
  await until(() => live.isRevoked('family', 'f31999'));

  for (const number of [20_000, 25_000, 31_999]) t.true(live.isRevoked('family', `f${number}`));
});

test('a token that lives longer than memory reaches back is looked up', async (t) => {
  const before = await startApp(t, { ACCESS_TOKEN_LIFETIME: '1d' });
  const { access, refresh } = await logIn(before, await createUser(before));
  await before.client.post('/blacklist_token/', { json: { refresh } });
  // As for one that was revoked longer ago than memory reaches back.
  await before.db('revocation').delete();

  const after = await startApp(t, { ACCESS_TOKEN_LIFETIME: '5m' }, { db: before.db });

  t.false(after.deps.live.isRevoked('family', String(claimsOf(access).sid)));
  t.is((await after.client.get('/', { authorization: `Bearer ${access}` })).status, 401);
});

test('a token of a session that another system named is looked up', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  const foreign = withClaims(access, { sid: randomUUID(), token_version: undefined }, app);

  const answer = await app.client.get('/', { authorization: `Bearer ${foreign}` });

  t.is(answer.status, 401);
});

test('a login and a rehash revoke nothing', async (t) => {
  const app = await startApp(t, { UPDATE_LAST_LOGIN: true, ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);
  const { refresh } = await logIn(app, user);
  await app.client.post('/refresh_token/', { json: { refresh } });
  await app.db('users').where({ id: user.id }).update({ password: 'the same, hashed anew' });

  t.deepEqual(await app.db('revocation').select('kind'), []);
});

onServer('what commits late is not lost behind what began later', async (t) => {
  const { db, live } = await createDeps(t, testConfig());
  const slow = await db.transaction();
  await revoke('began first', slow);
  await revoke('committed first', db);
  await live.catchUp();
  await revoke('in between', db);
  await live.catchUp();
  t.true(live.isRevoked('family', 'in between'));
  t.false(live.isRevoked('family', 'began first'));

  await slow.commit();
  await live.catchUp();

  t.true(live.isRevoked('family', 'began first'));
});

onServer('a lost notification costs a second at the most', async (t) => {
  const { db, live } = await createDeps(t, testConfig());
  // As note_revocation does, without its notification.
  await db('revocation').insert({ kind: 'family', subject: 'unheard of' });

  const start = performance.now();
  await until(() => live.isRevoked('family', 'unheard of'));

  t.true(performance.now() - start < 2000);
});

onServer('a connection that is ended is made again, and nothing is missed', async (t) => {
  const { db, live } = await createDeps(t, testConfig());

  await db.raw(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'latchkey revocations' AND datname = current_database()`,
  );
  await revoke('meanwhile', db);

  await until(() => live.isRevoked('family', 'meanwhile'));
  t.true(live.isFresh());
});

onServer('after a connection is made again, nothing remembered before is believed', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const me = async (): Promise<unknown> =>
    (await app.client.get('/auth/users/me/', { authorization: `Token ${user.token}` })).body;
  t.like(await me(), { email: '' });
  // As if it had happened longer ago than revocations are read: nothing tells of it.
  await app.db.raw('ALTER TABLE users DISABLE TRIGGER users_changed');
  await app.db('users').where({ id: user.id }).update({ email: 'new@example.org' });
  t.like(await me(), { email: '' });

  await app.db.raw(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'latchkey revocations' AND datname = current_database()`,
  );

  await until(async () => JSON.stringify(await me()).includes('new@example.org'));
  t.pass();
});

onServer('one replica leads, until its connection ends', async (t) => {
  const db = await createDatabase(t);
  const start = () =>
    startLive({ openChannel: channelOf(db) }, testConfig(), createLog(testConfig()));
  const first = await start();
  const second = await start();
  t.teardown(second.stop);

  t.true(await first.tryToLead());
  t.true(await first.tryToLead());
  t.false(await second.tryToLead());
  await first.stop();

  await until(() => second.tryToLead());
  t.pass();
});

/** Two replicas on one database; the way from the second one to it can be cut. */
async function startReplicas(t: ExecutionContext) {
  const database = await createServerDatabase(t, SERVER ?? '');
  const proxy = await startProxy(t, database);
  const here = await startApp(t, {}, { db: await connectTo(t, database) });
  const there = await startApp(
    t,
    {},
    { db: await connectTo(t, proxy.url, { connectTimeout: 1000 }) },
  );
  return { here, there, proxy };
}

onServer('cut off from the database a replica says 503, never yes', async (t) => {
  const { here, there, proxy } = await startReplicas(t);
  const { access, refresh } = await logIn(here, await createUser(here));
  const authorization = `Bearer ${access}`;
  t.is((await there.client.get('/', { authorization })).status, 200);

  proxy.cut();
  const revokedAt = performance.now();
  t.is((await here.client.post('/blacklist_token/', { json: { refresh } })).status, 200);
  t.is((await here.client.get('/', { authorization })).status, 401);

  await until(() => !there.deps.live.isFresh());
  t.true(performance.now() - revokedAt < 3500, 'it stops believing in time');
  const answer = await there.client.get('/', { authorization });
  t.is(answer.status, 503);
  t.is(answer.headers.get('retry-after'), '1');
  t.is((await there.client.get('/')).status, 200, 'who shows nothing needs no database');
  t.is((await there.client.get('/readyz')).status, 503);

  await proxy.restore();
  await until(() => there.deps.live.isFresh());
  t.is((await there.client.get('/', { authorization })).status, 401);
});

onServer('a connection that is frozen is given up for another one in time', async (t) => {
  const { here, there, proxy } = await startReplicas(t);
  const { access, refresh } = await logIn(here, await createUser(here));
  const authorization = `Bearer ${access}`;
  t.is((await there.client.get('/', { authorization })).status, 200);

  proxy.freeze();
  const revokedAt = performance.now();
  t.is((await here.client.post('/blacklist_token/', { json: { refresh } })).status, 200);

  let lastYes = 0;
  await until(async () => {
    const asked = performance.now() - revokedAt;
    const { status } = await there.client.get('/', { authorization });
    if (status === 200) lastYes = asked;
    return status === 401;
  });
  t.true(lastYes < 3500, `it still said yes after ${lastYes} ms`);
});

onServer('a replica that hears nothing asks the database for each request', async (t) => {
  const { here, there } = await startReplicas(t);
  const user = await createUser(here);
  const { access, refresh } = await logIn(here, user);
  // The same service with an ear that was never opened.
  const deaf: RequestDeps = {
    ...there.deps,
    live: { ...there.deps.live, isFresh: () => false, isRevoked: () => false },
  };

  t.is((await authenticateJwtOf('access', access, deaf)).user.id, user.id);
  await here.client.post('/blacklist_token/', { json: { refresh } });

  await t.throwsAsync(authenticateJwtOf('access', access, deaf), {
    message: /Token is blacklisted/,
  });
});
