import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startWithoutDatabase } from '../http/shell.ts';
import {
  BLACKLISTED,
  blacklist,
  familyOf,
  isRefused,
  listProducts,
  refresh,
  refreshed,
} from '../jwt/endpoints.ts';
import { claimsOf, legacyToken, withClaims } from '../jwt/forge.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { RequestOptions } from '../support/client.ts';
import type { SettingValues } from '../support/config.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { BAD_QUESTIONS } from './questions.ts';

interface Revoking extends TestApp {
  user: TestUser;
  /** Ends a token, which is always a 200 with nothing in it. */
  revoke: (token: string, more?: RequestOptions) => Promise<void>;
  /** What the user's opaque token gets at the products. */
  opaque: () => Promise<number>;
}

async function startRevoking(t: ExecutionContext, settings: SettingValues = {}): Promise<Revoking> {
  const app = await startApp(t, settings);
  const user = await createUser(app);
  const revoke: Revoking['revoke'] = async (token, more = { json: { token } }) => {
    const { status, body } = await app.client.post('/auth/revoke/', more);
    t.deepEqual([status, body], [200, {}]);
  };
  const opaque: Revoking['opaque'] = async () => {
    const authorization = `Token ${user.token}`;
    return (await app.client.get('/products/', { authorization })).status;
  };
  return { ...app, user, revoke, opaque };
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('a refresh token ends its session with all its tokens, and no other', async (t) => {
  const { revoke, opaque, user, ...app } = await startRevoking(t);
  const [session, other] = [await logIn(app, user), await logIn(app, user)];

  await revoke(session.refresh);

  isRefused(t, await refresh(app, session.refresh), BLACKLISTED);
  t.is((await listProducts(app, session.access)).status, 401);
  t.is((await listProducts(app, other.access)).status, 200);
  t.is((await refresh(app, other.refresh)).status, 200);
  t.is(await opaque(), 200);
});

for (const BLACKLIST_AFTER_ROTATION of [false, true])
  test.serial(
    `a refresh token that was rotated away ends its session too (BLACKLIST_AFTER_ROTATION=${BLACKLIST_AFTER_ROTATION})`,
    async (t) => {
      const settings = { ROTATE_REFRESH_TOKENS: true, BLACKLIST_AFTER_ROTATION };
      const { revoke, user, ...app } = await startRevoking(t, settings);
      const first = await logIn(app, user);
      const second = await refreshed(t, app, first.refresh);
      const third = await refreshed(t, app, second.refresh);

      await revoke(first.refresh);

      isRefused(t, await refresh(app, third.refresh), BLACKLISTED);
      t.is((await listProducts(app, third.access)).status, 401);
    },
  );

test.serial(
  'a refresh token that simplejwt issued ends, and what it was rotated into',
  async (t) => {
    const { revoke, user, ...app } = await startRevoking(t, { ROTATE_REFRESH_TOKENS: true });
    const [unused, used] = [1, 2].map(() => legacyToken(app, { user_id: user.id }));
    const session = await refreshed(t, app, used ?? '');

    await revoke(unused ?? '');
    await revoke(used ?? '');

    isRefused(t, await refresh(app, unused ?? ''), BLACKLISTED);
    isRefused(t, await refresh(app, session.refresh), BLACKLISTED);
  },
);

test.serial('an access token ends alone', async (t) => {
  const { revoke, user, ...app } = await startRevoking(t);
  const session = await logIn(app, user);
  const { access } = await refreshed(t, app, session.refresh);
  const { jti, exp = 0 } = claimsOf(session.access);

  await revoke(session.access);

  t.is((await listProducts(app, session.access)).status, 401);
  t.is((await listProducts(app, access)).status, 200);
  t.is((await refresh(app, session.refresh)).status, 200);
  t.deepEqual(await app.db('blacklisted_token'), [
    {
      jti,
      family_id: null,
      blacklisted_at: app.clock.now(),
      expires_at: new Date(exp * 1000),
    },
  ]);
});

const SLIDING: [refresh_exp: unknown, seconds: number][] = [
  [undefined, 300],
  [86_400, 86_700],
  [-10, 300],
  ['86400', 300],
  [1e300, 253_402_300_799],
];

test.serial('a sliding token ends with its session, in each of its renewed forms', async (t) => {
  const settings = { AUTH_TOKEN_CLASSES: 'SlidingToken' };
  const { revoke, user, ...app } = await startRevoking(t, settings);
  const logInSliding = async (): Promise<string> => {
    const json = { username: user.username, password: user.plain };
    return ((await app.client.post('/login/sliding/', { json })).body as { token: string }).token;
  };
  const [token, other] = [await logInSliding(), await logInSliding()];
  const renewed = await app.client.post('/refresh_token/sliding/', { json: { token } });

  await revoke(token);

  t.is((await listProducts(app, token)).status, 401);
  t.is((await listProducts(app, (renewed.body as { token: string }).token)).status, 401);
  t.is((await listProducts(app, other)).status, 200);
  t.is((await app.client.post('/refresh_token/sliding/', { json: { token } })).status, 401);
});

test.serial(
  'a sliding token that simplejwt issued ends for as long as it could be renewed',
  async (t) => {
    const { revoke, user, ...app } = await startRevoking(t);
    const { access } = await logIn(app, user);
    const { iat = 0 } = claimsOf(access);

    for (const [index, [given, seconds]] of SLIDING.entries()) {
      const refresh_exp = typeof given === 'number' && given < 1e9 ? iat + given : given;
      const jti = `sliding-${index}`;
      await revoke(
        withClaims(access, { token_type: 'sliding', sid: undefined, jti, refresh_exp }, app),
      );
      const { expires_at } = await app.db('blacklisted_token').where({ jti }).first('expires_at');
      const expected = seconds > 1e9 ? seconds : iat + seconds;
      t.deepEqual(expires_at, new Date(expected * 1000), String(given));
    }
  },
);

test.serial('an opaque token ends, and the next login makes a new one', async (t) => {
  const { revoke, opaque, user, ...app } = await startRevoking(t);
  const other = await createUser(app);
  const session = await logIn(app, user);

  await revoke(user.token);

  t.is(await opaque(), 401);
  t.is((await listProducts(app, session.access)).status, 200, 'the sessions go on');
  const authorization = `Token ${other.token}`;
  t.is((await app.client.get('/products/', { authorization })).status, 200);
  const { body } = await app.client.post('/auth/token/', {
    json: { username: user.username, password: user.plain },
  });
  t.not((body as { token: string }).token, user.token);
});

test.serial('the kind of a token is known from the token, whatever the hint says', async (t) => {
  const { revoke, opaque, user, ...app } = await startRevoking(t);
  const session = await logIn(app, user);

  await revoke('', { form: { token: session.refresh, token_type_hint: 'access_token' } });
  await revoke('', { json: { token: user.token, token_type_hint: 'nonsense' } });

  isRefused(t, await refresh(app, session.refresh), BLACKLISTED);
  t.is(await opaque(), 401);
});

test.serial('what is no live token of ours is answered alike, and ends nothing', async (t) => {
  const { revoke, opaque, user, ...app } = await startRevoking(t);
  const [session, ended] = [await logIn(app, user), await logIn(app, user)];
  await blacklist(app, ended.refresh);
  const rows = async () => [
    await app.db('token_family').orderBy('id'),
    await app.db('blacklisted_token'),
    await app.db('authtoken').select('digest'),
  ];
  const before = await rows();
  const changed = (claims: object): string => withClaims(session.refresh, { ...claims }, app);

  for (const token of [
    'x',
    '..',
    'x'.repeat(8000),
    'ü\u{1f600}',
    '0'.repeat(40),
    user.token.toUpperCase(),
    session.refresh.slice(0, -1),
    ended.refresh,
    changed({ exp: 1 }),
    changed({ jti: undefined }),
    changed({ user_id: undefined }),
    changed({ user_id: '999999' }),
    changed({ sid: claimsOf(session.access).jti }),
    changed({ sid: '019ab042-7f00-7c3e-9d21-4f6a8b1c2d3e' }),
  ])
    await revoke(token);

  t.deepEqual(await rows(), before);
  t.is((await refresh(app, session.refresh)).status, 200);
  t.is(await opaque(), 200);
});

test.serial('a token ends twice as well as once, and at the same time', async (t) => {
  const { revoke, user, ...app } = await startRevoking(t);
  const session = await logIn(app, user);

  for (const token of [session.access, session.refresh, user.token])
    await Promise.all([revoke(token), revoke(token), revoke(token)]);

  t.is((await familyOf(app, session.refresh)).revoked_reason, 'blacklist');
  t.is((await app.db('blacklisted_token')).length, 1);
});

test.serial('whoever has the token may end it, so the header is not looked at', async (t) => {
  const { revoke, opaque, user } = await startRevoking(t);

  await revoke('', { authorization: 'Token bad', json: { token: user.token } });

  t.is(await opaque(), 401);
});

test.serial('a token that passes within LEEWAY only ends too', async (t) => {
  const { revoke, user, ...app } = await startRevoking(t, { LEEWAY: 60 });
  const { access } = await logIn(app, user);
  app.clock.advance(330);
  t.is((await listProducts(app, access)).status, 200);

  await revoke(access);

  t.is((await listProducts(app, access)).status, 401);
});

test('a request that names no token is refused', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const [options, body] of BAD_QUESTIONS) {
    const answer = await client.post('/auth/revoke/', options);
    t.deepEqual([answer.status, answer.body], [400, body], JSON.stringify(options));
  }
});
