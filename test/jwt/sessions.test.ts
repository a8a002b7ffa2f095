import test from 'ava';
import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import { getOrCreateToken } from '../../src/authtoken/tokens.ts';
import { EVER } from '../../src/jwt/session-bounds.ts';
import { selectSessions } from '../../src/jwt/sessions-repository.ts';
import { refreshTokens } from '../../src/jwt/tokens.ts';
import { setPassword } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { until } from '../support/eventually.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { BLACKLISTED, familyOf, isRefused, listProducts, refresh, refreshed } from './endpoints.ts';
import { claimsOf, legacyToken, withClaims } from './forge.ts';

const LIST = '/auth/sessions/';
const ALL = '/auth/sessions/revoke_all/';
const NOT_FOUND = { detail: 'Not found.' };
const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const UNUSED = '019ab042-7f00-7c3e-9d21-4f6a8b1c2d3e';

interface Session {
  id: string;
  current: boolean;
}
interface Page {
  next: string | null;
  previous: string | null;
  results: Session[];
}

const byToken = ({ token }: TestUser) => ({ authorization: `Token ${token}` });
const byAccess = ({ access }: { access: string }) => ({ authorization: `Bearer ${access}` });
const sidOf = ({ refresh: token }: { refresh: string }): string => String(claimsOf(token).sid);
const idsOf = ({ body }: Answer): string[] => (body as Page).results.map(({ id }) => id);

async function liveIds({ client }: TestApp, user: TestUser): Promise<string[]> {
  return idsOf(await client.get(`${LIST}?page_size=100`, byToken(user)));
}

/** Rows of sessions, a second apart; their ids from the newest. */
async function insertSessions({ db, clock }: TestApp, user: TestUser, count: number) {
  const start = clock.now().getTime() - count * 1000;
  const rows = Array.from({ length: count }, (_, index) => ({
    id: uuidv7({ msecs: start + index * 1000 }),
    user_id: user.id,
    token_version: user.token_version,
    current_jti: `jti-${index}`,
    created_at: new Date(start + index * 1000),
    expires_at: new Date(start + 86_400_000),
  }));
  await db('token_family').insert(rows);
  return rows.map(({ id }) => id).toReversed();
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial(
  'a session is listed with what opened it, and the one of the request is current',
  async (t) => {
    const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
    const user = await createUser(app);
    const json = { username: user.username, password: user.plain };
    const headers = { 'User-Agent': 'Latch/1.0' };
    const start = app.clock.now();
    const phone = await logIn(app, user);
    app.clock.advance(60);
    const laptop = (await app.client.post('/login/', { json, headers })).body as typeof phone;
    app.clock.advance(60);
    const { access } = await refreshed(t, app, laptop.refresh);

    const { status, body } = await app.client.get(LIST, byAccess({ access }));

    const time = (seconds: number): string =>
      new Date(start.getTime() + seconds * 1000).toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
    const second = (seconds: number): string => time(seconds).replace(/\.\d+Z$/, 'Z');
    const wire = (text: string): string => text.replace('.000000Z', 'Z');
    t.is(status, 200);
    t.deepEqual(body, {
      next: null,
      previous: null,
      results: [
        {
          id: sidOf(laptop),
          created_at: wire(time(60)),
          last_used_at: wire(time(120)),
          expires_at: second(120 + 86_400),
          user_agent: 'Latch/1.0',
          ip: '127.0.0.1',
          current: true,
        },
        {
          id: sidOf(phone),
          created_at: wire(time(0)),
          last_used_at: null,
          expires_at: second(86_400),
          user_agent: null,
          ip: '127.0.0.1',
          current: false,
        },
      ],
    });
  },
);

test.serial(
  'with an opaque token, or an access token of no session, no session is current',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    const { access } = await logIn(app, user);
    const foreign = withClaims(access, { sid: undefined }, app);

    for (const authorization of [`Token ${user.token}`, `Bearer ${foreign}`]) {
      const { body } = await app.client.get(LIST, { authorization });
      t.deepEqual(
        (body as Page).results.map(({ current }) => current),
        [false],
        authorization,
      );
    }
  },
);

test.serial('what ended, expired or belongs to somebody else is not listed', async (t) => {
  const app = await startApp(t, { LEEWAY: 60 });
  const [user, other] = [await createUser(app), await createUser(app)];
  await logIn(app, other);
  const expired = await logIn(app, user);
  app.clock.advance(86_400 + 30);
  t.deepEqual(await liveIds(app, user), [sidOf(expired)], 'within LEEWAY it refreshes still');
  t.is((await refresh(app, expired.refresh)).status, 200);
  app.clock.advance(30);
  const [ended, alive] = [await logIn(app, user), await logIn(app, user)];
  await app.client.delete(`${LIST}${sidOf(ended)}/`, byToken(user));

  t.deepEqual(await liveIds(app, user), [sidOf(alive)]);

  const now = app.clock.now();
  await setPassword({ id: user.id, password: user.password, now }, app.db);
  const token = await getOrCreateToken(user.id, app.deps);
  // The service hears of it in its own time: it was not the one that did it.
  await until(async () => (await liveIds(app, { ...user, token })).length === 0);
});

test.serial('all of 250 sessions are found page by page, either way, and once each', async (t) => {
  const app = await startApp(t, { BASE_URL: 'https://shop.example.com' });
  const user = await createUser(app);
  const ids = await insertSessions(app, user, 250);
  const walk = async (path: string, direction: 'next' | 'previous') => {
    const pages: string[][] = [];
    let link: string | null = path;
    let last = path;
    while (link !== null && pages.length < 300) {
      last = link;
      const answer: Answer = await app.client.get(link, byToken(user));
      pages.push(idsOf(answer));
      const { [direction]: url } = answer.body as Page;
      link = url && url.replace('https://shop.example.com', '');
    }
    return { pages, last };
  };

  const plain = await walk(LIST, 'next');
  const onward = await walk(`${LIST}?page_size=60`, 'next');
  const back = await walk(onward.last, 'previous');

  t.deepEqual(
    plain.pages.map(({ length }) => length),
    Array.from({ length: 10 }, () => 25),
  );
  t.deepEqual(plain.pages.flat(), ids);
  t.deepEqual(
    onward.pages.map(({ length }) => length),
    [60, 60, 60, 60, 10],
  );
  t.deepEqual(onward.pages.flat(), ids);
  t.deepEqual(back.pages.toReversed().flat(), ids);
});

test.serial('pages lead on where sessions end meanwhile', async (t) => {
  const app = await startApp(t, { BASE_URL: 'https://shop.example.com' });
  const user = await createUser(app);
  const ids = await insertSessions(app, user, 4);
  const page = async (link: string | null): Promise<Page> => {
    const path = String(link).replace('https://shop.example.com', '');
    return (await app.client.get(path, byToken(user))).body as Page;
  };
  const first = await page(`${LIST}?page_size=2`);
  await app.db('token_family').whereIn('id', ids.slice(2)).delete();

  const second = await page(first.next);
  const back = await page(second.previous);

  t.deepEqual([second.next, second.results], [null, []]);
  t.deepEqual(
    back.results.map(({ id }) => id),
    ids.slice(0, 2),
  );
  t.deepEqual(back.next, null);
});

const base64 = (text: string): string => encodeURIComponent(Buffer.from(text).toString('base64'));

const QUERIES: [query: string, status: number, body: unknown][] = [
  ['cursor=', 200, 3],
  ['page_size=1000', 200, 3],
  ['page_size=2', 200, 2],
  ['page_size=0', 200, 3],
  ['page_size=-1', 200, 3],
  ['page_size=many', 200, 3],
  [`cursor=${base64('r=1')}`, 200, 3],
  [`cursor=${base64(`p=${UNUSED.toUpperCase()}`)}`, 200, 0],
  ['cursor=x', 404, { detail: 'Invalid cursor' }],
  ['cursor=%C3%A9', 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64('p=1')}`, 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64('p=')}`, 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64(`o=1&p=${UNUSED}`)}`, 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64(`p=${UNUSED}&i=7`)}`, 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64(`p=urn:uuid:${UNUSED}`)}`, 404, { detail: 'Invalid cursor' }],
  [`cursor=${base64(`p={${UNUSED}}`)}`, 404, { detail: 'Invalid cursor' }],
  ['cursor=%00', 400, { cursor: ['Null characters are not allowed.'] }],
  ['format=xml', 404, NOT_FOUND],
];

test.serial('a query that does not fit is refused, or has the default', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  // Made in the far future, so that all are newer than the position that the table knows.
  app.clock.advance(10 * 365 * 86_400);
  await insertSessions(app, user, 3);

  for (const [query, status, expected] of QUERIES) {
    const answer = await app.client.get(`${LIST}?${query}`, byToken(user));
    t.is(answer.status, status, query);
    t.deepEqual(status === 200 ? idsOf(answer).length : answer.body, expected, query);
  }
});

test.serial('a session that its user ends refreshes nothing, and the others go on', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const [first, second] = [await logIn(app, user), await logIn(app, user)];

  const { status, text } = await app.client.delete(`${LIST}${sidOf(first)}/`, byAccess(second));

  t.deepEqual([status, text], [204, '']);
  isRefused(t, await refresh(app, first.refresh), BLACKLISTED);
  t.is((await refresh(app, second.refresh)).status, 200);
  const { revoked_at, revoked_reason } = await familyOf(app, first.refresh);
  t.deepEqual([revoked_at, revoked_reason], [app.clock.now(), 'ended']);
});

test.serial(
  'a session that is not a live one of the user is not found, and not touched',
  async (t) => {
    const app = await startApp(t);
    const [user, other] = [await createUser(app), await createUser(app, { is_staff: true })];
    const [ended, foreign] = [await logIn(app, user), await logIn(app, other)];
    const sid = sidOf(foreign);
    await app.client.delete(`${LIST}${sidOf(ended)}/`, byToken(user));
    app.clock.advance(1);
    const before = await app.db('token_family').orderBy('id');

    for (const id of [
      sid,
      sidOf(ended),
      UNUSED,
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '1',
      'abc',
      'null',
      "';--",
      '%00',
      '%2e%2e',
      `urn:uuid:${sid}`,
      `{${sid}}`,
      sid.replaceAll('-', ''),
      `${sid}0`,
      `%20${sid}`,
      sid.replace('-', '%2d'),
      'x'.repeat(5000),
    ]) {
      const answer = await app.client.delete(`${LIST}${id}/`, byToken(user));
      t.deepEqual([answer.status, answer.body], [404, NOT_FOUND], id);
    }
    t.deepEqual(await app.db('token_family').orderBy('id'), before);
  },
);

test.serial('a session that is over can be ended, with the tokens that outlive it', async (t) => {
  const app = await startApp(t, {
    AUTH_TOKEN_CLASSES: 'SlidingToken',
    SLIDING_TOKEN_LIFETIME: '1d',
    SLIDING_TOKEN_REFRESH_LIFETIME: '1h',
  });
  const user = await createUser(app);
  const json = { username: user.username, password: user.plain };
  const tokens: string[] = [];
  for (let login = 0; login < 2; login += 1) {
    const { body } = await app.client.post('/login/sliding/', { json });
    tokens.push((body as { token: string }).token); // the contract was checked by the client
  }
  app.clock.advance(7200);
  const statuses = async (): Promise<number[]> =>
    Promise.all(tokens.map(async (token) => (await listProducts(app, token)).status));
  t.deepEqual(await liveIds(app, user), []);
  t.deepEqual(await statuses(), [200, 200]);

  await app.client.delete(`${LIST}${claimsOf(tokens[0] ?? '').sid}/`, byToken(user));
  t.deepEqual(await statuses(), [401, 200]);
  const { body } = await app.client.post(ALL, byToken(user));
  t.deepEqual(body, { revoked: 0 });
  t.deepEqual(await statuses(), [401, 401]);
});

test.serial('a current session that is over is kept, and counts for nothing', async (t) => {
  const app = await startApp(t, { SESSION_IDLE_LIFETIME: 100 });
  const { access } = await logIn(app, await createUser(app));
  app.clock.advance(200);

  const authorization = `Bearer ${access}`;
  const { body } = await app.client.post(ALL, { authorization, json: { keep_current: true } });

  t.deepEqual(body, { revoked: 0 });
  t.is((await listProducts(app, access)).status, 200);
});

test.serial('an id is the same in capital letters', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const session = await logIn(app, user);

  const answer = await app.client.delete(`${LIST}${sidOf(session).toUpperCase()}/`, byToken(user));

  t.is(answer.status, 204);
});

test.serial("all sessions of the user end at once, and nobody else's", async (t) => {
  const app = await startApp(t);
  const [user, other] = [await createUser(app), await createUser(app)];
  const [first, second, foreign] = [
    await logIn(app, user),
    await logIn(app, user),
    await logIn(app, other),
  ];

  const answer = await app.client.post(ALL, byAccess(first));

  t.deepEqual([answer.status, answer.body], [200, { revoked: 2 }]);
  isRefused(t, await refresh(app, first.refresh), BLACKLISTED);
  isRefused(t, await refresh(app, second.refresh), BLACKLISTED);
  t.deepEqual(await liveIds(app, other), [sidOf(foreign)]);
  const again = await app.client.post(ALL, byToken(user));
  t.deepEqual([again.status, again.body], [200, { revoked: 0 }], 'the opaque token stays good');
});

test.serial(
  "the current session is kept where the body says so in any of DRF's ways",
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    const current = await logIn(app, user);

    for (const options of [
      { json: { keep_current: true } },
      { json: { keep_current: 'True' } },
      { json: { keep_current: 1 } },
      { form: { keep_current: 'on' } },
    ]) {
      await logIn(app, user);
      const answer = await app.client.post(ALL, { ...byAccess(current), ...options });
      const what = JSON.stringify(options);
      t.deepEqual([answer.status, answer.body], [200, { revoked: 1 }], what);
      t.deepEqual(await liveIds(app, user), [sidOf(current)], what);
    }
  },
);

test.serial('with an opaque token there is no session to keep', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  await logIn(app, user);

  const answer = await app.client.post(ALL, { ...byToken(user), json: { keep_current: true } });

  t.deepEqual([answer.status, answer.body], [200, { revoked: 1 }]);
});

test.serial(
  'the current session ends with the others where nothing is said to keep it',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);

    for (const options of [
      { json: {} },
      { json: { keep_current: false } },
      { json: { keep_current: 'off' } },
      { form: { keep_current: '' } },
      { json: { keep: true } },
    ]) {
      const answer = await app.client.post(ALL, {
        ...byAccess(await logIn(app, user)),
        ...options,
      });
      t.deepEqual([answer.status, answer.body], [200, { revoked: 1 }], JSON.stringify(options));
    }
  },
);

const NOT_A_BOOLEAN = { keep_current: ['Must be a valid boolean.'] };
const BODIES: [json: unknown, body: object][] = [
  [{ keep_current: 'maybe' }, NOT_A_BOOLEAN],
  [{ keep_current: '' }, NOT_A_BOOLEAN],
  [{ keep_current: 2 }, NOT_A_BOOLEAN],
  [{ keep_current: [true] }, NOT_A_BOOLEAN],
  [{ keep_current: {} }, NOT_A_BOOLEAN],
  [{ keep_current: null }, { keep_current: ['This field may not be null.'] }],
  [[], { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
  [null, { non_field_errors: ['No data provided'] }],
];

test.serial('a body that does not say what to keep ends nothing', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const session = await logIn(app, user);

  for (const [json, body] of BODIES) {
    const answer = await app.client.post(ALL, { ...byToken(user), json });
    t.deepEqual([answer.status, answer.body], [400, body], JSON.stringify(json));
  }
  t.deepEqual(await liveIds(app, user), [sidOf(session)]);
});

test.serial('nobody in particular has no sessions, and a refresh token opens none', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const session = await logIn(app, user);

  for (const [method, path] of [
    ['GET', LIST],
    ['POST', ALL],
    ['DELETE', `${LIST}${sidOf(session)}/`],
  ] as const) {
    const answer = await app.client.request(method, path);
    t.deepEqual([answer.status, answer.body], [401, NO_CREDENTIALS], path);
    t.is(answer.headers.get('www-authenticate'), 'Token');
    const authorization = `Bearer ${session.refresh}`;
    t.is((await app.client.request(method, path, { authorization })).status, 401, path);
  }
  t.deepEqual(await liveIds(app, user), [sidOf(session)]);
});

test.serial('the paths of sessions take their own methods only', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  for (const [method, path, allow] of [
    ['POST', LIST, 'GET, HEAD, OPTIONS'],
    ['GET', ALL, 'POST, OPTIONS'],
    ['DELETE', ALL, 'POST, OPTIONS'],
    ['GET', `${LIST}${UNUSED}/`, 'DELETE, OPTIONS'],
  ] as const) {
    const answer = await app.client.request(method, path, byToken(user));
    t.deepEqual([answer.status, answer.headers.get('allow')], [405, allow], `${method} ${path}`);
  }
});

test.serial('a token that simplejwt issued has its session once it is rotated', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);
  const token = legacyToken(app, { user_id: String(user.id) });

  const session = await refreshed(t, app, token);

  t.deepEqual(await liveIds(app, user), [sidOf(session)]);
  await app.client.post(ALL, byToken(user));
  isRefused(t, await refresh(app, session.refresh), BLACKLISTED);
});

test.serial('of a logout everywhere and a rotation at once, no session is left', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const user = await createUser(app);
  const session = await logIn(app, user);

  const [rotated] = await Promise.all([
    refresh(app, session.refresh),
    app.client.post(ALL, byToken(user)),
  ]);

  t.deepEqual(await liveIds(app, user), []);
  const { refresh: child } = rotated.body as { refresh?: string };
  if (child !== undefined) isRefused(t, await refresh(app, child), BLACKLISTED);
});

test.serial('a rotation stays on its page (HOT), so that no index grows by it', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const session = await logIn(app, await createUser(app));
  const client = { ip: '127.0.0.1', userAgent: undefined };

  const updates = await app.db.transaction(async (trx) => {
    const before = await updatesOfFamilies(trx);
    let token = session.refresh;
    for (let use = 0; use < 20; use += 1) {
      const { refresh: child } = await refreshTokens(token, client, { ...app.deps, db: trx });
      token = child ?? '';
    }
    const after = await updatesOfFamilies(trx);
    return { all: after.all - before.all, hot: after.hot - before.hot };
  });

  t.deepEqual(updates, { all: 20, hot: 20 });
});

// What the connection did before, and has not yet reported, counts as well.
async function updatesOfFamilies(trx: Knex): Promise<{ all: number; hot: number }> {
  const { rows } = await trx.raw(
    `SELECT pg_stat_get_xact_tuples_updated(oid) AS all, pg_stat_get_xact_tuples_hot_updated(oid) AS hot
     FROM pg_class WHERE oid = 'token_family'::regclass`,
  );
  return rows[0];
}

test.serial(
  'however many sessions of a user ended, none is read to list the live ones',
  async (t) => {
    const app = await startApp(t);
    const user = await createUser(app);
    const [alive] = await insertSessions(app, user, 1);
    await app.db.raw(
      `INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at, revoked_at)
     SELECT gen_random_uuid(), :user, :version - n % 2, n, now(), now() + interval '1 day',
       CASE n % 2 WHEN 0 THEN now() END FROM generate_series(1, 3000) AS n`,
      { user: user.id, version: user.token_version },
    );
    await app.db.raw('ANALYZE token_family');
    const now = app.clock.now();
    const bounds = { now, expiredBy: now, startedAfter: EVER, usedAfter: EVER } as const;
    const sessions = selectSessions(
      user,
      { ...bounds, currentId: undefined },
      { order: 'desc' },
      app.db,
    );
    const { sql, bindings } = sessions.limit(26).toSQL();

    const { rows } = await app.db.raw(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${sql}`, bindings);

    const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n');
    t.regex(plan, /Index Scan Backward using token_family_standing_idx/);
    t.notRegex(plan, /Sort|Rows Removed/);
    t.deepEqual(await liveIds(app, user), [alive]);
  },
);

test.serial(
  'whoever has most of the sessions has them found without a look at those of others',
  async (t) => {
    const app = await startApp(t);
    const [user, other] = [await createUser(app), await createUser(app)];
    await insertSessions(app, user, 2500);
    await app.db.raw(
      `WITH others AS (
         INSERT INTO users (username, password) SELECT 'other-' || n, '!' FROM generate_series(1, 50) AS n RETURNING id)
       INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at)
       SELECT gen_random_uuid(), id, 0, id, now(), now() FROM others`,
    );
    await app.db.raw('VACUUM ANALYZE token_family');
    app.clock.advance(10);
    await insertSessions(app, other, 5);
    const now = app.clock.now();
    const bounds = { now, expiredBy: now, startedAfter: EVER, usedAfter: EVER } as const;
    const sessions = selectSessions(
      user,
      { ...bounds, currentId: undefined },
      { order: 'desc' },
      app.db,
    );
    const { sql, bindings } = sessions.limit(26).toSQL();

    const { rows } = await app.db.raw(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${sql}`, bindings);

    const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n');
    t.regex(plan, /Index Scan Backward using token_family_standing_idx/);
    t.notRegex(plan, /Rows Removed/);
  },
);

test.serial('thousands of sessions are counted and ended, but for the current one', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const current = await logIn(app, user);
  await insertSessions(app, user, 2500);

  const { body } = await app.client.post(ALL, {
    ...byAccess(current),
    json: { keep_current: true },
  });

  t.deepEqual(body, { revoked: 2500 });
  t.deepEqual(await liveIds(app, user), [sidOf(current)]);
});
