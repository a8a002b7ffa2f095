import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Knex } from 'knex';
import type { RequestDeps } from '../../src/deps.ts';
import { authenticateJwtOf } from '../../src/jwt/tokens.ts';
import { createLog } from '../../src/log.ts';
import { startLive } from '../../src/revocation/live.ts';
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
import { startProxy } from '../support/proxy.ts';

const onServer = SERVER === undefined ? test.skip : test;

const revoke = async (subject: string, db: Knex): Promise<void> => {
  await db.raw("SELECT note_revocation('family', ?)", [subject]);
};

/** Waits for what comes by itself; the test's own time-out ends it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

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
  t.deepEqual(await app.db('token_family').select('revoked_reason'), [
    { revoked_reason: 'deactivated' },
  ]);
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
