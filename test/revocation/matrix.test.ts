import test from 'ava';
import type { ExecutionContext } from 'ava';
import { changePassword } from '../../src/accounts/password-change.ts';
import { deactivate } from '../../src/commands/activation.ts';
import { setPassword } from '../../src/users/repository.ts';
import { claimsOf, legacyToken } from '../jwt/forge.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { Session, TestUser } from '../support/factories.ts';

const SETTINGS = {
  AUTH_TOKEN_CLASSES: 'AccessToken,SlidingToken',
  ROTATE_REFRESH_TOKENS: true,
  REFRESH_GRACE: 0,
};

/** All that a user may hold: two sessions, a sliding token and an opaque one. */
interface Holder {
  user: TestUser;
  session: Session;
  other: Session;
  sliding: string;
}
type Held = 'access' | 'refresh' | 'other access' | 'other refresh' | 'sliding' | 'opaque';

const EVERYTHING: Held[] = [
  'access',
  'refresh',
  'other access',
  'other refresh',
  'sliding',
  'opaque',
];
const THE_SESSION: Held[] = ['access', 'refresh'];
const ALL_SESSIONS: Held[] = EVERYTHING.filter((held) => held !== 'opaque');

type Cause = (here: TestApp, holder: Holder) => Promise<unknown>;

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

/** What ends something -> all that it ends. Whatever else the user holds has to live on. */
const CAUSES: Record<string, [cause: Cause, ended: Held[]]> = {
  'POST /blacklist_token/': [
    ({ client }, { session }) => client.post('/blacklist_token/', { json: session }),
    THE_SESSION,
  ],
  'DELETE /auth/sessions/{id}/': [
    ({ client }, { session, other }) =>
      client.delete(`/auth/sessions/${claimsOf(session.access).sid}/`, bearer(other.access)),
    THE_SESSION,
  ],
  'POST /auth/sessions/revoke_all/': [
    ({ client }, { session }) =>
      client.post('/auth/sessions/revoke_all/', { ...bearer(session.access), json: {} }),
    ALL_SESSIONS,
  ],
  'POST /auth/sessions/revoke_all/ that keeps the current one': [
    ({ client }, { session }) =>
      client.post('/auth/sessions/revoke_all/', {
        ...bearer(session.access),
        json: { keep_current: true },
      }),
    ['other access', 'other refresh', 'sliding'],
  ],
  'POST /auth/revoke/ of a refresh token': [
    ({ client }, { session }) => client.post('/auth/revoke/', { form: { token: session.refresh } }),
    THE_SESSION,
  ],
  'POST /auth/revoke/ of an access token': [
    ({ client }, { session }) => client.post('/auth/revoke/', { form: { token: session.access } }),
    ['access'],
  ],
  'POST /auth/revoke/ of a sliding token': [
    ({ client }, { sliding }) => client.post('/auth/revoke/', { form: { token: sliding } }),
    ['sliding'],
  ],
  'POST /auth/revoke/ of an opaque token': [
    ({ client }, { user }) => client.post('/auth/revoke/', { form: { token: user.token } }),
    ['opaque'],
  ],
  'POST /auth/token/logout/': [
    ({ client }, { session }) => client.post('/auth/token/logout/', bearer(session.access)),
    ['opaque'],
  ],
  'POST /auth/token/rotate/': [
    ({ client }, { user }) =>
      client.post('/auth/token/rotate/', { authorization: `Token ${user.token}` }),
    ['opaque'],
  ],
  'the reuse of a refresh token': [
    async ({ client }, { session: { refresh } }) => {
      await client.post('/refresh_token/', { json: { refresh } });
      await client.post('/refresh_token/', { json: { refresh } });
    },
    THE_SESSION,
  ],
  'POST /auth/users/set_password/': [
    ({ deps }, { user }) =>
      changePassword(
        user.id,
        { current_password: user.plain, new_password: 'another horse, as correct' },
        deps,
      ),
    EVERYTHING,
  ],
  'a new password by whoever runs the service': [
    ({ db, clock }, { user: { id } }) => setPassword({ id, password: '!', now: clock.now() }, db),
    EVERYTHING,
  ],
  'the command deactivate': [
    ({ deps }, { user }) => deactivate({ name: user.username }, deps),
    EVERYTHING,
  ],
  'UPDATE users SET is_active': [
    ({ db }, { user: { id } }) => db('users').where({ id }).update({ is_active: false }),
    EVERYTHING,
  ],
  'UPDATE users SET token_version': [
    ({ db }, { user: { id } }) => db('users').where({ id }).increment('token_version', 1),
    ALL_SESSIONS,
  ],
  'UPDATE token_family SET revoked_at': [
    ({ db, clock }, { session }) =>
      db('token_family')
        .where({ id: claimsOf(session.access).sid })
        .update({ revoked_at: clock.now() }),
    THE_SESSION,
  ],
  'DELETE FROM token_family': [
    ({ db }, { session }) =>
      db('token_family')
        .where({ id: claimsOf(session.access).sid })
        .delete(),
    THE_SESSION,
  ],
  'DELETE FROM authtoken': [
    ({ db }, { user: { id } }) => db('authtoken').where({ user_id: id }).delete(),
    ['opaque'],
  ],
  'DELETE FROM users': [
    ({ db }, { user: { id } }) => db('users').where({ id }).delete(),
    EVERYTHING,
  ],
  nothing: [async () => undefined, []],
};

/** Every way in which a token may be asked about on another replica; whether it is still taken. */
const PATHS: Record<string, (there: TestApp, token: string, staff: string) => Promise<boolean>> = {
  header: async ({ client }, token) =>
    (await client.get('/products/', bearer(token))).status === 200,
  'optional header': async ({ client }, token) =>
    (await client.get('/', bearer(token))).status === 200,
  verify: async ({ client }, token) =>
    (await client.post('/verify_token/', { json: { token } })).status === 200,
  introspect: async ({ client }, token, staff) => {
    const authorization = `Token ${staff}`;
    const { body } = await client.post('/auth/introspect/', { authorization, form: { token } });
    return (body as { active: boolean }).active;
  },
  'opaque header': async ({ client }, token) =>
    (await client.get('/products/', { authorization: `Token ${token}` })).status === 200,
  // These two come last: they use the token up.
  'refresh sliding': async ({ client }, token) =>
    (await client.post('/refresh_token/sliding/', { json: { token } })).status === 200,
  refresh: async ({ client }, token) =>
    (await client.post('/refresh_token/', { json: { refresh: token } })).status === 200,
};

const PATHS_OF: Record<Held, string[]> = {
  access: ['header', 'optional header', 'verify', 'introspect'],
  refresh: ['verify', 'introspect', 'refresh'],
  'other access': ['header', 'optional header', 'verify', 'introspect'],
  'other refresh': ['verify', 'introspect', 'refresh'],
  sliding: ['header', 'optional header', 'verify', 'introspect', 'refresh sliding'],
  opaque: ['opaque header', 'introspect'],
};

async function equip(t: ExecutionContext, app: TestApp): Promise<Holder> {
  const user = await createUser(app);
  const session = await logIn(app, user);
  const other = await logIn(app, user);
  const json = { username: user.username, password: user.plain };
  const { status, body } = await app.client.post('/login/sliding/', { json });
  t.is(status, 200);
  return { user, session, other, sliding: (body as { token: string }).token };
}

function tokenOf(held: Held, { user, session, other, sliding }: Holder): string {
  switch (held) {
    case 'access':
      return session.access;
    case 'refresh':
      return session.refresh;
    case 'other access':
      return other.access;
    case 'other refresh':
      return other.refresh;
    case 'sliding':
      return sliding;
    case 'opaque':
      return user.token;
  }
}

for (const isDeaf of [false, true]) {
  const how = isDeaf ? 'asks the database' : 'asks its memory';

  test(`what ended on one replica is refused on another that ${how}, by every path, and nothing else is`, async (t) => {
    t.timeout(240_000);
    const here = await startApp(t, SETTINGS);
    const there = await startApp(t, SETTINGS, { db: here.db });
    const staff = (await createUser(here, { is_staff: true })).token;
    const { isFresh } = there.deps.live;

    for (const [what, [cause, ended]] of Object.entries(CAUSES)) {
      const holder = await equip(t, here);
      // What was never asked for could not be remembered wrongly.
      for (const held of EVERYTHING)
        if (held !== 'opaque') await PATHS.header?.(there, tokenOf(held, holder), staff);
      await PATHS['opaque header']?.(there, holder.user.token, staff);

      await cause(here, holder);
      await there.deps.live.catchUp();
      if (isDeaf) there.deps.live.isFresh = () => false;

      for (const held of EVERYTHING)
        for (const path of PATHS_OF[held]) {
          const isTaken = await PATHS[path]?.(there, tokenOf(held, holder), staff);
          t.is(isTaken, !ended.includes(held), `after ${what}: ${held} by ${path}`);
        }
      there.deps.live.isFresh = isFresh;
    }
  });
}

test('a token of simplejwt ends with all sessions, with the account, and alone', async (t) => {
  for (const what of [
    'POST /auth/sessions/revoke_all/',
    'POST /auth/sessions/revoke_all/ that keeps the current one',
    'POST /auth/users/set_password/',
    'the command deactivate',
    'DELETE FROM users',
  ]) {
    const app = await startApp(t, SETTINGS);
    const staff = (await createUser(app, { is_staff: true })).token;
    const holder = await equip(t, app);
    const foreign = legacyToken(app, {
      token_type: 'access',
      exp: Math.floor(app.clock.now().getTime() / 1000) + 300,
      user_id: String(holder.user.id),
    });
    t.true(await PATHS.header?.(app, foreign, staff), what);
    app.clock.advance(1);

    await CAUSES[what]?.[0](app, holder);
    await app.deps.live.catchUp();

    for (const path of PATHS_OF.access) t.false(await PATHS[path]?.(app, foreign, staff), what);
  }
});

test('without REVOKE_ACCESS_TOKENS an access token outlives its session, and nothing else does', async (t) => {
  const app = await startApp(t, { ...SETTINGS, REVOKE_ACCESS_TOKENS: false });
  const staff = (await createUser(app, { is_staff: true })).token;
  const { session, sliding } = await equip(t, app);

  await app.client.post('/auth/sessions/revoke_all/', { ...bearer(session.access), json: {} });

  for (const path of ['header', 'verify', 'introspect'])
    t.true(await PATHS[path]?.(app, session.access, staff), path);
  t.false(await PATHS.refresh?.(app, session.refresh, staff));
  t.false(await PATHS.header?.(app, sliding, staff));
});
