import test from 'ava';
import type { ExecutionContext } from 'ava';
import { refreshTokens } from '../../src/jwt/tokens.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createDatabase } from '../support/database.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { Session } from '../support/factories.ts';
import {
  blacklist,
  BLACKLISTED,
  familyOf,
  isRefused,
  listProducts,
  NO_ACCOUNT,
  refresh,
  refreshed,
  verify,
} from './endpoints.ts';
import { claimsOf, legacyToken } from './forge.ts';

const ROTATION = { ROTATE_REFRESH_TOKENS: true };

/** Uses one refresh token many times at once: the pairs that came back, and how many were refused. */
async function race(
  t: ExecutionContext,
  app: TestApp,
  { token, times }: { token: string; times: number },
): Promise<{ pairs: Session[]; refused: number }> {
  const answers = await Promise.all(Array.from({ length: times }, () => refresh(app, token)));
  const refusals = answers.filter(({ status }) => status !== 200);
  for (const answer of refusals) isRefused(t, answer, BLACKLISTED);
  const pairs = answers.flatMap(({ status, body }) => (status === 200 ? [body as Session] : []));
  return { pairs, refused: refusals.length };
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial(
  'a rotation gives a child of the same session, with other times and another id',
  async (t) => {
    const app = await startApp(t, ROTATION);
    const { refresh: parent } = await logIn(app, await createUser(app));
    app.clock.advance(3600);
    const iat = Math.floor(app.clock.now().getTime() / 1000);

    const pair = await refreshed(t, app, parent);

    t.deepEqual(Object.keys(pair), ['access', 'refresh']);
    const { jti } = claimsOf(pair.refresh);
    t.not(jti, claimsOf(parent).jti);
    t.deepEqual(claimsOf(pair.refresh), { ...claimsOf(parent), iat, exp: iat + 86_400, jti });
    t.like(claimsOf(pair.access), { sid: claimsOf(parent).sid, exp: iat + 300 });
    t.is((await listProducts(app, pair.access)).status, 200);
    t.like(await familyOf(app, pair.refresh), {
      generation: 1,
      current_jti: jti,
      previous_jti: claimsOf(parent).jti,
      rotated_at: app.clock.now(),
      last_used_at: app.clock.now(),
      expires_at: new Date((iat + 86_400) * 1000),
    });
  },
);

test.serial('of 50 concurrent uses without grace one gets the successor', async (t) => {
  const app = await startApp(t, { ...ROTATION, REFRESH_GRACE: 0 }, { isRealTime: true });
  const { refresh: token } = await logIn(app, await createUser(app));

  const { pairs, refused } = await race(t, app, { token, times: 50 });

  t.deepEqual([pairs.length, refused], [1, 49]);
  t.like(await familyOf(app, token), { generation: 1, revoked_reason: 'reuse' });
});

test.serial('50 concurrent uses within the grace all get the same successor', async (t) => {
  const app = await startApp(t, { ...ROTATION, REFRESH_GRACE: 10 }, { isRealTime: true });
  const { refresh: token } = await logIn(app, await createUser(app));

  const { pairs, refused } = await race(t, app, { token, times: 50 });

  t.deepEqual([pairs.length, refused], [50, 0]);
  const [child = '', ...others] = new Set(pairs.map((pair) => pair.refresh));
  t.deepEqual(others, []);
  t.is(new Set(pairs.map(({ access }) => claimsOf(access).jti)).size, 50);
  t.like(await familyOf(app, token), { generation: 1, revoked_at: null });
  t.is((await refresh(app, child)).status, 200);
});

test.serial(
  'a retry gets the same child until the grace is over, and then ends the session',
  async (t) => {
    const app = await startApp(t, ROTATION);
    const { refresh: token } = await logIn(app, await createUser(app));
    const { refresh: child } = await refreshed(t, app, token);

    // Each retry counts from the rotation, not from the retry before.
    for (const seconds of [0, 5, 4.999]) {
      app.clock.advance(seconds);
      t.is((await refreshed(t, app, token)).refresh, child);
    }
    app.clock.advance(0.001);

    isRefused(t, await refresh(app, token), BLACKLISTED);
    t.like(await familyOf(app, token), {
      revoked_at: app.clock.now(),
      revoked_reason: 'reuse',
      generation: 1,
    });
    isRefused(t, await refresh(app, child), BLACKLISTED);
  },
);

test.serial('the parent of a used child is reuse, and ends this session alone', async (t) => {
  const app = await startApp(t, ROTATION);
  const user = await createUser(app);
  const other = await logIn(app, user);
  const { refresh: token } = await logIn(app, user);
  const { refresh: child } = await refreshed(t, app, token);
  const { refresh: grandchild } = await refreshed(t, app, child);

  isRefused(t, await refresh(app, token), BLACKLISTED);

  t.like(await familyOf(app, token), { revoked_reason: 'reuse', generation: 2 });
  for (const dead of [child, grandchild]) isRefused(t, await refresh(app, dead), BLACKLISTED);
  t.is((await refresh(app, other.refresh)).status, 200);
});

test.serial('with REFRESH_REUSE=refuse reuse is refused and the session lives', async (t) => {
  const app = await startApp(t, { ...ROTATION, REFRESH_REUSE: 'refuse', REFRESH_GRACE: 0 });
  const { refresh: token } = await logIn(app, await createUser(app));
  const { refresh: child } = await refreshed(t, app, token);
  const family = await familyOf(app, token);
  app.clock.advance(1);

  isRefused(t, await refresh(app, token), BLACKLISTED);

  t.deepEqual(await familyOf(app, token), family);
  t.is((await refresh(app, child)).status, 200);
});

// Two processes read two clocks, and one process its own before it waits for the row.
test.serial('without grace a caller whose clock is behind gets nothing either', async (t) => {
  const app = await startApp(t, { ...ROTATION, REFRESH_GRACE: 0 });
  const { refresh: token } = await logIn(app, await createUser(app));
  const earlier = app.clock.now();
  app.clock.advance(2);
  await refreshed(t, app, token);

  const behind = { ...app.deps, now: () => earlier };
  const client = { ip: '127.0.0.1', userAgent: undefined };
  await t.throwsAsync(refreshTokens(token, client, behind), {
    message: JSON.stringify(BLACKLISTED),
  });
});

test.serial('a logout with a token that was rotated away ends the session', async (t) => {
  const db = await createDatabase(t);
  for (const BLACKLIST_AFTER_ROTATION of [false, true]) {
    const app = await startApp(t, { ...ROTATION, BLACKLIST_AFTER_ROTATION }, { db });
    const { refresh: token } = await logIn(app, await createUser(app));
    const { refresh: child } = await refreshed(t, app, token);

    const answer = await blacklist(app, token);

    if (BLACKLIST_AFTER_ROTATION) isRefused(t, answer, BLACKLISTED);
    else t.deepEqual([answer.status, answer.body], [200, {}]);
    t.like(await familyOf(app, token), { revoked_reason: 'blacklist' });
    isRefused(t, await refresh(app, child), BLACKLISTED);
    isRefused(t, await blacklist(app, child), BLACKLISTED);
  }
});

test.serial(
  'with BLACKLIST_AFTER_ROTATION a token that was rotated away does not verify',
  async (t) => {
    const app = await startApp(t, { ...ROTATION, BLACKLIST_AFTER_ROTATION: true });
    const { refresh: token } = await logIn(app, await createUser(app));
    const { refresh: child, access } = await refreshed(t, app, token);

    const { status, body } = await verify(app, token);

    t.is(status, 400);
    t.deepEqual(body, { non_field_errors: ['Token is blacklisted'] });
    for (const good of [child, access]) t.is((await verify(app, good)).status, 200);
  },
);

test.serial('a logout that races with rotations leaves no session behind', async (t) => {
  const app = await startApp(t, ROTATION, { isRealTime: true });
  const { refresh: token } = await logIn(app, await createUser(app));

  const [logout, ...answers] = await Promise.all([
    blacklist(app, token),
    ...Array.from({ length: 10 }, () => refresh(app, token)),
  ]);

  t.is(logout.status, 200);
  for (const { status, body } of answers)
    if (status === 200) isRefused(t, await refresh(app, (body as Session).refresh), BLACKLISTED);
  isRefused(t, await refresh(app, token), BLACKLISTED);
});

test.serial('20 concurrent uses of a token of no family open one session', async (t) => {
  const db = await createDatabase(t);
  for (const [REFRESH_GRACE, winners] of [
    [0, 1],
    [10, 20],
  ] as const) {
    const app = await startApp(t, { ...ROTATION, REFRESH_GRACE }, { db, isRealTime: true });
    const { id } = await createUser(app);
    const token = legacyToken(app, { user_id: String(id), plan: 'gold' });

    const { pairs, refused } = await race(t, app, { token, times: 20 });

    t.deepEqual([pairs.length, refused], [winners, 20 - winners]);
    const [child = '', ...others] = new Set(pairs.map((pair) => pair.refresh));
    t.deepEqual(others, []);
    t.like(claimsOf(child), { user_id: String(id), plan: 'gold' });
    t.is((await db('token_family').where({ user_id: id }).select('id')).length, 1);
    t.is((await refresh(app, child)).status, REFRESH_GRACE === 0 ? 401 : 200);
  }
});

test.serial('a token of no family is retried, reused and ended as any other', async (t) => {
  const app = await startApp(t, ROTATION);
  const { id } = await createUser(app);
  const token = legacyToken(app, { user_id: id });
  const { refresh: child } = await refreshed(t, app, token);

  app.clock.advance(9);
  t.is((await refreshed(t, app, token)).refresh, child);
  app.clock.advance(1);
  isRefused(t, await refresh(app, token), BLACKLISTED);

  t.like(await familyOf(app, child), { revoked_reason: 'reuse' });
  isRefused(t, await refresh(app, child), BLACKLISTED);
});

test.serial(
  'a blacklisted token of no family is dead, and so is what it was rotated into',
  async (t) => {
    const app = await startApp(t, ROTATION);
    const { id } = await createUser(app);
    const unused = legacyToken(app, { user_id: id });
    const used = legacyToken(app, { user_id: id });
    const { refresh: child } = await refreshed(t, app, used);

    for (const token of [unused, used]) {
      t.is((await blacklist(app, token)).status, 200);
      isRefused(t, await refresh(app, token), BLACKLISTED);
      isRefused(t, await blacklist(app, token), BLACKLISTED);
    }

    isRefused(t, await refresh(app, child), BLACKLISTED);
    t.like(await familyOf(app, child), { revoked_reason: 'blacklist' });
  },
);

test.serial('a token of no family for a user who is not there uses nothing up', async (t) => {
  const app = await startApp(t, ROTATION);
  const inactive = await createUser(app, { is_active: false });

  for (const user_id of [999_999, inactive.id])
    isRefused(t, await refresh(app, legacyToken(app, { user_id })), NO_ACCOUNT);

  for (const table of ['blacklisted_token', 'token_family'])
    t.deepEqual(await app.db(table).select('*'), []);
});
