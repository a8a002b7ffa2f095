import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { Knex } from 'knex';
import { issueTokenPair, refreshTokens } from '../../src/jwt/tokens.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { findUserById, setPassword } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase, SERVER } from '../support/database.ts';
import { createDeps } from '../support/deps.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { Session, TestUser } from '../support/factories.ts';
import {
  blacklist,
  BLACKLISTED,
  familyOf,
  isRefused,
  listProducts,
  NO_ACCOUNT,
  notValid,
  refresh,
  refreshed,
  verify,
} from './endpoints.ts';
import { claimsOf, legacyToken, textsOf, withClaims } from './forge.ts';

const CLIENT = { ip: '127.0.0.1', userAgent: undefined };
const HEX = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const postLogin = ({ client }: TestApp, user: TestUser): Promise<Answer> =>
  client.post('/login/', { json: { username: user.username, password: user.plain } });

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('a login gives two tokens of one new session, as simplejwt writes them', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const iat = Math.floor(app.clock.now().getTime() / 1000);

  const { status, headers, body } = await postLogin(app, user);

  t.is(status, 200);
  t.is(headers.get('cache-control'), 'no-store');
  t.deepEqual(Object.keys(body as Session), ['refresh', 'access']);
  const { refresh: token, access } = body as Session;
  const { jti, sid } = claimsOf(token);
  t.regex(String(jti), HEX);
  t.regex(String(sid), UUID);
  const rest = { user_id: String(user.id), sid, token_version: 0 };
  t.deepEqual(textsOf(token), [
    '{"alg":"HS256","typ":"JWT"}',
    JSON.stringify({ token_type: 'refresh', exp: iat + 86_400, iat, jti, ...rest }),
  ]);
  t.not(claimsOf(access).jti, jti);
  t.deepEqual(textsOf(access), [
    '{"alg":"HS256","typ":"JWT"}',
    JSON.stringify({
      token_type: 'access',
      exp: iat + 300,
      iat,
      jti: claimsOf(access).jti,
      ...rest,
    }),
  ]);
});

test.serial('a session remembers what opened it, within the width of its columns', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const json = { username: user.username, password: user.plain };
  const headers = { 'User-Agent': 'a'.repeat(600) };

  const { body } = await app.client.post('/login/', { json, headers });

  const { refresh: token } = body as Session;
  t.deepEqual(await familyOf(app, token), {
    id: claimsOf(token).sid,
    user_id: user.id,
    token_version: 0,
    generation: 0,
    current_jti: claimsOf(token).jti,
    previous_jti: null,
    rotated_at: null,
    created_at: app.clock.now(),
    expires_at: new Date(Number(claimsOf(token).exp) * 1000),
    last_used_at: null,
    user_agent: 'a'.repeat(512),
    ip: '127.0.0.1',
    revoked_at: null,
    revoked_reason: null,
  });
});

test.serial('wrong, unknown and inactive accounts get one refusal and no session', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const inactive = await createUser(app, { is_active: false });

  for (const credentials of [
    { ...user, plain: 'wrong' },
    { ...user, username: 'nobody' },
    inactive,
  ])
    isRefused(t, await postLogin(app, credentials), {
      detail: 'No active account found with the given credentials',
    });

  t.deepEqual(await app.db('token_family').select('id'), []);
});

test.serial(
  'without rotation a refresh token gives new access tokens again and again',
  async (t) => {
    const app = await startApp(t);
    const session = await logIn(app, await createUser(app));
    const { jti: _jti, exp: _exp, iat: _iat, ...constant } = claimsOf(session.access);
    const seen = new Set([claimsOf(session.access).jti]);

    for (const seconds of [0, 300, 86_000]) {
      app.clock.advance(seconds);
      const iat = Math.floor(app.clock.now().getTime() / 1000);
      const answer = await refreshed(t, app, session.refresh);

      t.deepEqual(Object.keys(answer), ['access']);
      const { jti } = claimsOf(answer.access);
      t.deepEqual(claimsOf(answer.access), { ...constant, jti, iat, exp: iat + 300 });
      t.is((await listProducts(app, answer.access)).status, 200);
      seen.add(jti);
    }
    t.is(seen.size, 4);
  },
);

test.serial('a token is refused from the second of its expiry on', async (t) => {
  const app = await startApp(t);
  const { access, refresh: token } = await logIn(app, await createUser(app));

  app.clock.advance(299);
  t.is((await verify(app, access)).status, 200);
  app.clock.advance(1);
  isRefused(t, await verify(app, access), notValid('Token is expired'));

  app.clock.advance(86_400 - 301);
  t.is((await refresh(app, token)).status, 200);
  app.clock.advance(1);
  isRefused(t, await refresh(app, token), notValid('Token is expired'));
  isRefused(t, await blacklist(app, token), notValid('Token is expired'));
});

test.serial('what is no refresh token neither refreshes nor logs out', async (t) => {
  const app = await startApp(t);
  const session = await logIn(app, await createUser(app));
  const changed = (claims: object): string => withClaims(session.refresh, { ...claims }, app);

  for (const [token, detail] of [
    [session.access, 'Token has wrong type'],
    [changed({ token_type: 'sliding' }), 'Token has wrong type'],
    [changed({ token_type: 'Refresh' }), 'Token has wrong type'],
    [changed({ token_type: null }), 'Token has wrong type'],
    [changed({ token_type: undefined }), 'Token has no type'],
    [changed({ jti: undefined }), 'Token has no id'],
    [changed({ exp: undefined }), "Token has no 'exp' claim"],
    [changed({ sid: 1 }), 'Token is invalid'],
    [changed({ sid: 'x' }), 'Token is invalid'],
    [`${session.refresh}x`, 'Token is invalid'],
    ['x', 'Token is invalid'],
  ] as const) {
    isRefused(t, await refresh(app, token), notValid(detail), `${detail} at refresh`);
    isRefused(t, await blacklist(app, token), notValid(detail), `${detail} at blacklist`);
  }
  t.is((await refresh(app, session.refresh)).status, 200);
});

test.serial('a refresh token that names no user refreshes nothing', async (t) => {
  const app = await startApp(t);
  const { refresh: token } = await logIn(app, await createUser(app));

  for (const user_id of [undefined, null, 0, '', '01', ' 1', {}, [], '1 OR 1=1'])
    isRefused(
      t,
      await refresh(app, withClaims(token, { user_id }, app)),
      notValid('Token contained no recognizable user identification'),
      JSON.stringify(user_id),
    );
  t.is((await refresh(app, token)).status, 200);
});

test.serial('a token of any type and any user verifies, as in simplejwt', async (t) => {
  const app = await startApp(t, { REVOKE_ACCESS_TOKENS: false });
  const user = await createUser(app);
  const { access, refresh: token } = await logIn(app, user);

  for (const good of [
    access,
    token,
    withClaims(token, { token_type: 'sliding', user_id: undefined, sid: undefined }, app),
    withClaims(access, { token_type: undefined, user_id: '999999' }, app),
  ]) {
    const { status, body } = await verify(app, good);
    t.is(status, 200);
    t.deepEqual(body, {});
  }
  for (const [bad, detail] of [
    [withClaims(token, { jti: undefined }, app), 'Token has no id'],
    [withClaims(token, { exp: undefined }, app), "Token has no 'exp' claim"],
    [withClaims(token, { exp: 1 }, app), 'Token is expired'],
    [`${token}x`, 'Token is invalid'],
    [user.token, 'Token is invalid'],
  ] as const)
    isRefused(t, await verify(app, bad), notValid(detail));
});

test.serial(
  'claims that simplejwt put into a refresh token go on, and give no rights',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    const owner = await logIn(app, await createUser(app));
    const json = { name: 'Lamp', price: '1.00' };
    const { body } = await app.client.post('/products/', {
      authorization: `Bearer ${owner.access}`,
      json,
    });
    const { id } = body as { id: number };
    const custom = { is_staff: true, is_superuser: true, role: 'admin', né: [1, { a: null }] };

    const token = legacyToken(app, { user_id: String(user.id), ...custom });
    const { access } = await refreshed(t, app, token);

    t.like(claimsOf(access), custom);
    const answer = await app.client.delete(`/products/${id}/`, {
      authorization: `Bearer ${access}`,
    });
    t.is(answer.status, 403);
    t.deepEqual(answer.body, { detail: 'You do not have permission to perform this action.' });
  },
);

test.serial('a blacklisted token refreshes nothing and cannot be blacklisted twice', async (t) => {
  const app = await startApp(t);
  const session = await logIn(app, await createUser(app));
  const other = await logIn(app, await createUser(app));

  const { status, body } = await blacklist(app, session.refresh);

  t.is(status, 200);
  t.deepEqual(body, {});
  isRefused(t, await refresh(app, session.refresh), BLACKLISTED);
  isRefused(t, await blacklist(app, session.refresh), BLACKLISTED);
  t.like(await familyOf(app, session.refresh), {
    revoked_at: app.clock.now(),
    revoked_reason: 'blacklist',
  });
  t.is((await refresh(app, other.refresh)).status, 200);
});

test.serial('of two racing blacklistings one succeeds', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { refresh: token } = await logIn(app, user);

  for (const raced of [token, legacyToken(app, { user_id: user.id })]) {
    const answers = await Promise.all([blacklist(app, raced), blacklist(app, raced)]);

    t.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 401]);
    for (const answer of answers.filter(({ status }) => status === 401))
      isRefused(t, answer, BLACKLISTED);
  }
});

test.serial(
  'without REVOKE_ACCESS_TOKENS verify knows the blacklist as simplejwt does',
  async (t) => {
    const db = await createDatabase(t);
    for (const BLACKLIST_AFTER_ROTATION of [false, true]) {
      const settings = { BLACKLIST_AFTER_ROTATION, REVOKE_ACCESS_TOKENS: false };
      const app = await startApp(t, settings, { db });
      const user = await createUser(app);
      const session = await logIn(app, user);
      const legacy = legacyToken(app, { user_id: String(user.id) });
      const used = [session.refresh, legacy];
      for (const token of [...used, session.access]) t.is((await verify(app, token)).status, 200);

      await blacklist(app, session.refresh);
      await blacklist(app, legacy);

      for (const token of used) {
        const { status, body } = await verify(app, token);
        t.is(status, BLACKLIST_AFTER_ROTATION ? 400 : 200);
        t.deepEqual(
          body,
          BLACKLIST_AFTER_ROTATION ? { non_field_errors: ['Token is blacklisted'] } : {},
        );
      }
      t.is((await verify(app, session.access)).status, 200);
    }
  },
);

test.serial(
  'without rotation a token of no family refreshes until it is blacklisted',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    const token = legacyToken(app, { user_id: user.id, plan: 'gold' });

    const { access } = await refreshed(t, app, token);
    t.deepEqual(Object.keys(claimsOf(access)), [
      'token_type',
      'exp',
      'iat',
      'jti',
      'user_id',
      'plan',
    ]);
    t.is((await listProducts(app, access)).status, 200);
    t.is((await refresh(app, token)).status, 200);

    t.is((await blacklist(app, token)).status, 200);
    isRefused(t, await refresh(app, token), BLACKLISTED);
    isRefused(t, await blacklist(app, token), BLACKLISTED);
    t.deepEqual(await app.db('token_family').select('id'), []);
  },
);

test.serial(
  'a changed password ends what was issued before, with and without a family',
  async (t) => {
    const db = await createDatabase(t);
    for (const ROTATE_REFRESH_TOKENS of [false, true]) {
      const app = await startApp(t, { ROTATE_REFRESH_TOKENS }, { db });
      const user = await createUser(app);
      const { refresh: ofFamily } = await logIn(app, user);
      const [ofNone, undated] = [
        legacyToken(app, { user_id: user.id }),
        legacyToken(app, { user_id: user.id, iat: undefined }),
      ];
      app.clock.advance(1);
      const now = app.clock.now();

      await setPassword(
        { id: user.id, password: await hashPassword('x', app.deps.config), now },
        db,
      );

      for (const token of [ofFamily, ofNone, undated])
        isRefused(t, await refresh(app, token), BLACKLISTED);
      app.clock.advance(1);
      t.is((await refresh(app, legacyToken(app, { user_id: user.id }))).status, 200);
    }
  },
);

test.serial(
  'a refresh token is worth nothing once its user is outdated, inactive or gone',
  async (t) => {
    const db = await createDatabase(t);
    for (const ROTATE_REFRESH_TOKENS of [false, true]) {
      const app = await startApp(t, { ROTATE_REFRESH_TOKENS }, { db });
      const user = await createUser(app);
      const [session, outdated] = [await logIn(app, user), await logIn(app, user)];
      const legacy = legacyToken(app, { user_id: String(user.id) });
      const account = (): Knex.QueryBuilder => db('users').where({ id: user.id });

      await account().update({ token_version: 1 });
      isRefused(t, await refresh(app, outdated.refresh), BLACKLISTED);
      await account().update({ token_version: 0, is_active: false });
      for (const token of [session.refresh, legacy])
        isRefused(t, await refresh(app, token), NO_ACCOUNT);
      await account().delete();
      for (const token of [session.refresh, legacy])
        isRefused(t, await refresh(app, token), NO_ACCOUNT);
    }
  },
);

test.serial('nobody refreshes in the session of another user, or in one made up', async (t) => {
  const db = await createDatabase(t);
  for (const ROTATE_REFRESH_TOKENS of [false, true]) {
    const app = await startApp(t, { ROTATE_REFRESH_TOKENS }, { db });
    const victim = await logIn(app, await createUser(app));
    const thief = await logIn(app, await createUser(app));
    const { sid, jti } = claimsOf(victim.refresh);

    for (const claims of [{ sid }, { sid, jti }, { sid: randomUUID() }]) {
      const token = withClaims(thief.refresh, claims, app);
      isRefused(t, await refresh(app, token), BLACKLISTED);
      isRefused(t, await blacklist(app, token), BLACKLISTED);
    }

    t.like(await familyOf(app, victim.refresh), { revoked_at: null, generation: 0 });
    t.is((await refresh(app, victim.refresh)).status, 200);
  }
});

test.serial('a login whose password changed since it was verified opens no session', async (t) => {
  const db = await createDatabase(t);
  for (const UPDATE_LAST_LOGIN of [false, true]) {
    const deps = await createDeps(t, testConfig({ UPDATE_LAST_LOGIN }), { db });
    const user = await createUser({ deps });

    for (const stale of [
      { ...user, password: 'another hash' },
      { ...user, id: 999_999 },
    ])
      t.is(await issueTokenPair(stale, CLIENT, deps), undefined);

    t.deepEqual(await db('token_family').select('id'), []);
    t.is((await findUserById(user.id, db))?.last_login, null);
  }
});

test.serial(
  'a password change ends all sessions, also those of logins that race with it',
  async (t) => {
    const app = await startApp(t, {}, { isRealTime: true });
    const user = await createUser(app);
    const earlier = await logIn(app, user);
    const password = await hashPassword('another password', app.deps.config);

    const [, ...answers] = await Promise.all([
      setPassword({ id: user.id, password, now: new Date() }, app.db),
      ...Array.from({ length: 20 }, () => postLogin(app, user)),
    ]);

    isRefused(t, await refresh(app, earlier.refresh), BLACKLISTED);
    for (const { status, body } of answers) {
      t.true(status === 200 || status === 401);
      if (status === 200) isRefused(t, await refresh(app, (body as Session).refresh), BLACKLISTED);
    }
  },
);

// An embedded database has one connection: nothing happens there while a transaction is open.
const onServer = SERVER === undefined ? test.skip : test.serial;

/** Comes back when a statement waits for a lock that another one holds. */
async function untilSomebodyWaits({ db }: TestApp): Promise<void> {
  for (let look = 0; look < 500; look += 1) {
    const { rows } = await db.raw(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
  }
  throw new Error('nobody waits for a lock');
}

onServer('a login waits for a change of its account under way, and is refused', async (t) => {
  const db = await createDatabase(t);
  for (const UPDATE_LAST_LOGIN of [false, true]) {
    const app = await startApp(t, { UPDATE_LAST_LOGIN }, { db });
    for (const change of [{ password: 'changed' }, { is_active: false }, undefined]) {
      const user = await createUser(app);
      const trx = await db.transaction();
      const account = trx('users').where({ id: user.id });
      await (change ? account.update(change) : account.delete());

      const [answer] = await Promise.all([
        postLogin(app, user),
        untilSomebodyWaits(app).finally(() => trx.commit()),
      ]);

      isRefused(t, answer, {
        detail: 'No active account found with the given credentials',
      });
    }
  }
});

onServer('a token of no family waits for the deletion of its user, and is refused', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);
  const trx = await app.db.transaction();
  await trx('users').where({ id: user.id }).delete();

  const [answer] = await Promise.all([
    refresh(app, legacyToken(app, { user_id: String(user.id) })),
    untilSomebodyWaits(app).finally(() => trx.commit()),
  ]);

  isRefused(t, answer, NO_ACCOUNT);
});

test.serial('a login is recorded with UPDATE_LAST_LOGIN only, a refresh never', async (t) => {
  const db = await createDatabase(t);
  for (const UPDATE_LAST_LOGIN of [false, true]) {
    const loginAt = new Date();
    const now = (): Date => loginAt;
    const deps = await createDeps(t, testConfig({ UPDATE_LAST_LOGIN }), { db, now });
    const user = await createUser({ deps });

    const pair = await issueTokenPair(user, CLIENT, deps);
    const later = { ...deps, now: () => new Date(loginAt.getTime() + 60_000) };
    await refreshTokens(pair?.refresh ?? '', CLIENT, later);

    t.deepEqual((await findUserById(user.id, db))?.last_login, UPDATE_LAST_LOGIN ? loginAt : null);
  }
});

test.serial('claims have the names that the settings give them', async (t) => {
  const names = { USER_ID_CLAIM: 'sub', TOKEN_TYPE_CLAIM: 'typ', JTI_CLAIM: 'id' };
  const app = await startApp(t, { ...names, ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);

  const { refresh: parent } = await logIn(app, user);
  const { access, refresh: child } = await refreshed(t, app, parent);

  for (const [token, typ] of [
    [parent, 'refresh'],
    [child, 'refresh'],
    [access, 'access'],
  ] as const) {
    const claims = claimsOf(token);
    t.deepEqual(Object.keys(claims), ['typ', 'exp', 'iat', 'id', 'sub', 'sid', 'token_version']);
    t.like(claims, { typ, sub: String(user.id) });
    t.regex(String(claims.id), HEX);
  }
  t.is((await listProducts(app, access)).status, 200);
  isRefused(t, await refresh(app, access), notValid('Token has wrong type'));
  isRefused(
    t,
    await refresh(app, withClaims(child, { id: undefined }, app)),
    notValid('Token has no id'),
  );
  t.is((await blacklist(app, child)).status, 200);
});
