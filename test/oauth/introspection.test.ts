import test from 'ava';
import type { ExecutionContext } from 'ava';
import { blacklist, refresh, refreshed } from '../jwt/endpoints.ts';
import { claimsOf, legacyToken, withClaims } from '../jwt/forge.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { RequestOptions } from '../support/client.ts';
import type { SettingValues } from '../support/config.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { BAD_QUESTIONS } from './questions.ts';

const INACTIVE = { active: false };

interface Asked extends TestApp {
  staff: TestUser;
  user: TestUser;
  /** What a member of staff is told of a token. */
  ask: (token: string, more?: RequestOptions) => Promise<unknown>;
}

async function startAsked(t: ExecutionContext, settings: SettingValues = {}): Promise<Asked> {
  const app = await startApp(t, settings);
  const staff = await createUser(app, { is_staff: true });
  const user = await createUser(app);
  const ask: Asked['ask'] = async (token, more = { json: { token } }) => {
    const options = { authorization: `Token ${staff.token}`, ...more };
    const { status, headers, body } = await app.client.post('/auth/introspect/', options);
    t.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
    return body;
  };
  return { ...app, staff, user, ask };
}

/** What is told of a JWT: what it says itself, and whose it is. */
function told(token: string, { id, username }: TestUser): object {
  const { token_type, exp, iat, jti, sid } = claimsOf(token);
  return { active: true, token_type, username, sub: String(id), exp, iat, jti, sid };
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial(
  'an active token of each kind is told in full, whatever the hint and the form',
  async (t) => {
    const { ask, user, ...app } = await startAsked(t);
    const session = await logIn(app, user);
    const { id, username, token } = user;

    t.deepEqual(await ask(session.access), told(session.access, user));
    t.deepEqual(await ask(session.refresh), told(session.refresh, user));
    t.deepEqual(await ask(token), {
      active: true,
      token_type: 'opaque',
      username,
      sub: String(id),
    });
    for (const token_type_hint of ['access_token', 'refresh_token', 'opaque', '', 'nonsense']) {
      const form = { token: session.refresh, token_type_hint };
      t.deepEqual(await ask('', { form }), told(session.refresh, user), token_type_hint);
    }
  },
);

test.serial('staff may ask by a JWT as well', async (t) => {
  const { ask, staff, ...app } = await startAsked(t);
  const { access } = await logIn(app, staff);

  const answer = await ask('', { authorization: `Bearer ${access}`, json: { token: access } });

  t.deepEqual(answer, told(access, staff));
});

test.serial('issuer and audience are told where a token names them', async (t) => {
  const settings = { ISSUER: 'https://auth.example.com', AUDIENCE: 'shop' };
  const { ask, user, ...app } = await startAsked(t, settings);
  const { access } = await logIn(app, user);
  const wider = withClaims(access, { aud: ['shop', 'bank'] }, app);

  const { ISSUER: iss, AUDIENCE: aud } = settings;
  t.deepEqual(await ask(access), { ...told(access, user), iss, aud });
  t.deepEqual(await ask(wider), { ...told(access, user), iss, aud: ['shop', 'bank'] });
});

test.serial('claims of another form than due are not told, and hurt nothing', async (t) => {
  const { ask, user, ...app } = await startAsked(t);
  const { access } = await logIn(app, user);
  const { exp = 0, jti } = claimsOf(access);
  const odd = withClaims(
    access,
    { iss: 1, aud: [1, 'shop'], iat: undefined, sid: undefined, exp: exp + 0.5, extra: 'x' },
    app,
  );

  t.deepEqual(await ask(odd), {
    active: true,
    token_type: 'access',
    username: user.username,
    sub: String(user.id),
    exp,
    jti,
  });
});

test.serial('a token that simplejwt issued is active as long as it refreshes', async (t) => {
  const { ask, user, ...app } = await startAsked(t);
  const token = legacyToken(app, { user_id: user.id });

  const { sid: _sid, ...expected } = told(token, user) as Record<string, unknown>;
  t.deepEqual(await ask(token), expected);
  await blacklist(app, token);
  t.deepEqual(await ask(token), INACTIVE);
});

test.serial('of a token that is good for nothing only this is told', async (t) => {
  const { ask, user, ...app } = await startAsked(t);
  const { access, refresh: token } = await logIn(app, user);
  const changed = (claims: object): string => withClaims(access, { ...claims }, app);

  for (const [what, text] of [
    ['a word', 'x'],
    ['dots', '..'],
    ['a long text', 'x'.repeat(8000)],
    ['a strange character', 'ü\u{1f600}'],
    ['an unknown key', '0'.repeat(40)],
    ['a key in capitals', user.token.toUpperCase()],
    ['a key with its keyword', `Token ${user.token}`],
    ['a signature that is cut', access.slice(0, -1)],
    ['a signature of something else', `${access.split('.', 2).join('.')}.${token.split('.')[2]}`],
    ['an expired token', changed({ exp: 1 })],
    ['no expiry', changed({ exp: undefined })],
    ['no id', changed({ jti: undefined })],
    ['no type', changed({ token_type: undefined })],
    ['a type that is not known', changed({ token_type: 'id' })],
    ['a type that is no text', changed({ token_type: ['access'] })],
    ['no user', changed({ user_id: undefined })],
    ['an unknown user', changed({ user_id: '999999' })],
    ['a user in another spelling', changed({ user_id: `0${user.id}` })],
    ['a session that is no id', changed({ sid: 'x' })],
    ['an access token as a refresh token', changed({ token_type: 'refresh' })],
  ] as const)
    t.deepEqual(await ask(text), INACTIVE, what);
});

test.serial('a session that ends takes all its tokens with it at once', async (t) => {
  const { ask, user, ...app } = await startAsked(t, { ROTATE_REFRESH_TOKENS: true });
  const first = await logIn(app, user);
  const second = await refreshed(t, app, first.refresh);

  t.deepEqual(await ask(first.refresh), INACTIVE, 'rotated away');
  t.deepEqual(await ask(first.access), told(first.access, user));
  t.deepEqual(await ask(second.refresh), told(second.refresh, user));
  await app.client.post('/auth/sessions/revoke_all/', { authorization: `Token ${user.token}` });

  for (const token of [first.access, second.access, second.refresh])
    t.deepEqual(await ask(token), INACTIVE);
});

test.serial(
  'where access tokens outlive their session they are active until they expire',
  async (t) => {
    const { ask, user, ...app } = await startAsked(t, { REVOKE_ACCESS_TOKENS: false });
    const session = await logIn(app, user);
    await blacklist(app, session.refresh);

    t.deepEqual(await ask(session.access), told(session.access, user));
    t.deepEqual(await ask(session.refresh), INACTIVE);
    app.clock.advance(300);
    t.deepEqual(await ask(session.access), INACTIVE);
  },
);

test.serial('tokens of an inactive or deleted user are not active', async (t) => {
  const { ask, user, ...app } = await startAsked(t);
  const session = await logIn(app, user);
  const legacy = legacyToken(app, { user_id: user.id });
  const tokens = [session.access, session.refresh, user.token, legacy];

  await app.db('users').where({ id: user.id }).update({ is_active: false });
  await app.deps.live.catchUp();
  for (const token of tokens) t.deepEqual(await ask(token), INACTIVE, 'inactive');
  await app.db('users').where({ id: user.id }).delete();
  await app.deps.live.catchUp();
  for (const token of tokens) t.deepEqual(await ask(token), INACTIVE, 'deleted');
});

test.serial('a type that is not taken in the header is not active', async (t) => {
  const { ask, user, ...app } = await startAsked(t, { AUTH_TOKEN_CLASSES: 'SlidingToken' });
  const session = await logIn(app, user);
  const json = { username: user.username, password: user.plain };
  const { body } = await app.client.post('/login/sliding/', { json });
  const { token } = body as { token: string };

  t.deepEqual(await ask(token), told(token, user));
  t.deepEqual(await ask(session.access), INACTIVE);
  t.deepEqual(await ask(session.refresh), told(session.refresh, user));
});

test.serial('a question changes nothing of the session', async (t) => {
  const { ask, user, ...app } = await startAsked(t);
  const session = await logIn(app, user);
  app.clock.advance(120);
  const before = await app.db('token_family');

  await ask(session.refresh);

  t.deepEqual(await app.db('token_family'), before);
  t.is((await refresh(app, session.refresh)).status, 200);
});

test.serial('a question that names no token is refused', async (t) => {
  const { client, staff } = await startAsked(t);
  const authorization = `Token ${staff.token}`;

  for (const [options, body] of BAD_QUESTIONS) {
    const answer = await client.post('/auth/introspect/', { authorization, ...options });
    t.deepEqual([answer.status, answer.body], [400, body], JSON.stringify(options));
  }
});
