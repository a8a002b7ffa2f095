import test from 'ava';
import createOpenapiFetch from 'openapi-fetch';
import { createSession } from '../../examples/web/session.ts';
import type { paths } from '../../generated/openapi.ts';
import { signToken } from '../../src/jwt/codec.ts';
import { startWithoutDatabase } from '../http/shell.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import { holdRefreshes, openTab, sharedStorage, statusesOf, times } from './tabs.ts';
import type { Tab } from './tabs.ts';

const OLD = 400; // seconds after which an access token has expired

/** A tab whose user, a new one, has just logged in. */
async function loggedIn(app: TestApp, tab = openTab(app.base)): Promise<Tab> {
  await tab.start(await logIn(app, await createUser(app)));
  return tab;
}

test('calls with an expired access token all succeed by one refresh, of one tab and of two', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true, REFRESH_GRACE: 0 });
  const storage = sharedStorage();
  const one = await loggedIn(app, openTab(app.base, storage));
  const other = openTab(app.base, storage);
  const first = storage.pair();
  const list = (tab: Tab) => () => tab.fetch(`${app.base}/products/`);

  app.clock.advance(OLD);
  const statuses = await statusesOf(times(20, list(one)));
  t.deepEqual([...new Set(statuses), one.traffic.refreshes()], [200, 1]);
  const second = storage.pair();
  t.true(second.access !== first.access && second.refresh !== first.refresh, 'both were replaced');

  app.clock.advance(OLD);
  const ofBoth = await statusesOf([...times(10, list(one)), ...times(10, list(other))]);
  t.deepEqual([...new Set(ofBoth), one.traffic.refreshes() + other.traffic.refreshes()], [200, 2]);

  await one.end();
  t.deepEqual([await one.isOpen(), await other.isOpen()], [false, false]);
  t.is((await other.fetch(`${app.base}/products/`)).status, 401);
  t.deepEqual([one.ends(), other.ends()], [0, 1], 'who logs out need not be told');
});

test('a revoked session ends once, with the 401 for all who wait, and asks no more', async (t) => {
  const app = await startApp(t);
  const tab = await loggedIn(app);
  const { refresh } = tab.storage.pair();
  await app.client.post('/blacklist_token/', { json: { refresh } });

  const answers = await Promise.all(times(20, () => tab.fetch(`${app.base}/products/`)));

  for (const answer of answers) t.like(await bodyOf(answer), { code: 'token_not_valid' });
  t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401]));
  t.deepEqual([tab.traffic.refreshes(), tab.ends()], [1, 1]);
  t.deepEqual(tab.storage.pair(), { access: undefined, refresh: undefined });

  t.is((await tab.fetch(`${app.base}/products/`)).status, 401);
  t.false(await tab.refresh());
  await tab.end();
  t.deepEqual([tab.traffic.refreshes(), tab.ends()], [1, 1]);
});

const bodyOf = async (answer: Response): Promise<object> => Object(await answer.json());

test('what is repeated has its method, headers and body, whatever the body is made of', async (t) => {
  const app = await startApp(t);
  const tab = await loggedIn(app);
  const url = `${app.base}/products/`;
  const headers = { 'Content-Type': 'application/json' };
  const form = new FormData();
  form.set('name', 'Form');
  form.set('price', '1');
  const json = (name: string): string => JSON.stringify({ name, price: '1' });
  const calls: [name: string, input: Request | URL | string, init?: RequestInit][] = [
    ['Text', url, { method: 'POST', headers, body: json('Text') }],
    ['Request', new Request(url, { method: 'POST', headers, body: json('Request') })],
    ['Form', new URL(url), { method: 'POST', body: form }],
    ['Bytes', url, { method: 'POST', headers, body: new TextEncoder().encode(json('Bytes')) }],
    ['Blob', url, { method: 'POST', body: new Blob([json('Blob')], { type: 'application/json' }) }],
  ];

  for (const [name, input, init] of calls) {
    app.clock.advance(OLD);
    const answer = await tab.fetch(input, init);
    t.is(answer.status, 201);
    t.like(await bodyOf(answer), { name, price: '1.00' });
  }

  const posted = tab.traffic.seen.filter((line) => line.startsWith('POST /products/'));
  t.deepEqual(
    posted,
    calls.flatMap(() => ['POST /products/ 401', 'POST /products/ 201']),
  );
  t.is(tab.traffic.refreshes(), calls.length);
});

test('openapi-fetch needs the fetch alone, and a storage may answer with promises', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { getItem, setItem, removeItem } = sharedStorage();
  const storage = {
    getItem: async (key: string) => getItem(key),
    setItem: async (key: string, value: string) => setItem(key, value),
    removeItem: async (key: string) => removeItem(key),
  };
  const session = createSession({ api: app.base, storage });
  const client = createOpenapiFetch<paths>({ baseUrl: app.base, fetch: session.fetch });
  const body = { username: user.username, password: user.plain };
  const { data: pair = { access: '', refresh: '' } } = await client.POST('/login/', { body });
  await session.start(pair);
  app.clock.advance(OLD);

  const { data, response } = await client.GET('/auth/users/me/');

  t.deepEqual([response.status, data?.username], [200, user.username]);
  t.true(await session.refresh());
  await session.end();
  t.false(await session.isOpen());
});

/** A session whose access token is refused, and whose refresh token nobody can judge without the database. */
async function unjudged(app: TestApp): Promise<Tab> {
  const exp = app.clock.now().getTime() / 1000 + 60;
  const claims = { token_type: 'refresh', jti: 'a', user_id: '1', exp };
  const tab = openTab(app.base);
  await tab.start({ access: 'refused', refresh: signToken(claims, app.deps.config) });
  return tab;
}

test('a service without its database answers 503, once for all who wait, and logs nobody out', async (t) => {
  const app = await startWithoutDatabase(t);
  const tab = await unjudged(app);
  const pair = tab.storage.pair();

  const answers = await Promise.all(times(5, () => tab.fetch(`${app.base}/products/`)));

  for (const answer of answers) {
    t.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
    t.like(await bodyOf(answer), { detail: 'Service temporarily unavailable, try again later.' });
  }
  t.is(tab.traffic.refreshes(), 1);
  await t.throwsAsync(tab.refresh(), { message: 'No refresh for now: 503' });
  t.deepEqual([tab.ends(), tab.storage.pair()], [0, pair]);
});

test('a logout that the service does not hear of is one here, and says so', async (t) => {
  const tab = await unjudged(await startWithoutDatabase(t));

  await t.throwsAsync(tab.end(), { message: 'The service did not log out: 503' });

  t.false(await tab.isOpen());
  await t.notThrowsAsync(tab.end(), 'there is nothing left to end');
  await tab.start({ access: 'refused', refresh: 'refused' });
  await t.notThrowsAsync(tab.end(), 'what is over needs no end');
  t.is(tab.ends(), 0);
});

test('a call that is given up while it waits for a refresh is given up at once', async (t) => {
  const { base } = await startWithoutDatabase(t);
  const { traffic, reached, release } = holdRefreshes();
  const tab = openTab(base, sharedStorage(), { traffic });
  await tab.start({ access: 'refused', refresh: 'refused' });
  const controller = new AbortController();

  const call = tab.fetch(`${base}/products/`, { signal: controller.signal });
  const patient = tab.fetch(`${base}/products/`);
  await reached;
  controller.abort();

  await t.throwsAsync(call, { name: 'AbortError' });
  release();
  t.is((await patient).status, 401);
});
