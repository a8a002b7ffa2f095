import test from 'ava';
import { createSession } from '../../examples/web/session.ts';
import { contractDocument } from '../../src/contract.ts';
import { holdRefreshes, openTab, sharedStorage, statusesOf, times } from './tabs.ts';
import type { Tab } from './tabs.ts';

// What the service never answers, and what must never be sent to it: here a function stands for the network.

const API = 'https://api.example/v1';
const PAIR = { access: 'a', refresh: 'r' };
const REFUSED = (): Response => new Response('', { status: 401 });

const NO_REFRESH: [what: string, answer: () => Promise<Response>, error: object][] = [
  [
    'a network that is away',
    () => fetch('http://127.0.0.1:1/'),
    { instanceOf: TypeError, message: 'fetch failed' },
  ],
  [
    'a portal that speaks for the service',
    async () => new Response('<h1>Welcome to our network</h1>'),
    { instanceOf: SyntaxError },
  ],
  ['an answer that is no pair', async () => Response.json('a'), { message: /no token: 200$/ }],
  ['an empty token', async () => Response.json({ access: '' }), { message: /no token: 200$/ }],
  ['a wrong address', async () => new Response('', { status: 404 }), { message: /no token: 404$/ }],
];

for (const [what, answer, error] of NO_REFRESH)
  test(`${what} is an error to all who wait, and logs nobody out`, async (t) => {
    let refreshes = 0;
    const tab = openTab(API, sharedStorage(), {
      fetch: async (input, init) => {
        if (!new Request(input, init).url.endsWith('/refresh_token/')) return REFUSED();
        refreshes += 1;
        return answer();
      },
    });
    await tab.start(PAIR);

    const calls = times(3, () => tab.fetch(`${API}/products/`));

    await Promise.all(calls.map((call) => t.throwsAsync(call, error)));
    t.deepEqual([refreshes, tab.ends(), tab.storage.pair()], [1, 0, PAIR]);
  });

test('a call that is refused with the new token as well is not repeated again', async (t) => {
  const sent: string[] = [];
  const tab = openTab(API, sharedStorage(), {
    fetch: async (input, init) => {
      const { url, headers } = new Request(input, init);
      sent.push(`${new URL(url).pathname} ${headers.get('authorization')}`);
      return url.endsWith('/refresh_token/') ? Response.json({ access: 'b' }) : REFUSED();
    },
  });
  await tab.start(PAIR);

  t.deepEqual(await statusesOf(times(2, () => tab.fetch(`${API}/products/`))), [401, 401]);

  t.deepEqual(sent, [
    '/v1/products/ Bearer a',
    '/v1/products/ Bearer a',
    '/v1/refresh_token/ null',
    '/v1/products/ Bearer b',
    '/v1/products/ Bearer b',
  ]);
  t.deepEqual([tab.ends(), tab.storage.pair()], [0, { access: 'b', refresh: 'r' }]);
});

const MEANWHILE: [what: string, act: (tab: Tab) => Promise<void>, kept: object][] = [
  [
    'a logout during a refresh stays a logout',
    (tab) => tab.end(),
    { access: undefined, refresh: undefined },
  ],
  [
    'what one user asked for is not repeated as another, who has logged in during the refresh',
    (tab) => tab.start({ access: 'of bob', refresh: 'of bob' }),
    { access: 'of bob', refresh: 'of bob' },
  ],
];

for (const [title, meanwhile, kept] of MEANWHILE)
  test(title, async (t) => {
    const { traffic, reached, release } = holdRefreshes(async (input) => {
      const { url } = new Request(input);
      return url.endsWith('/products/') ? REFUSED() : Response.json({ access: 'b', refresh: 's' });
    });
    const tab = openTab(API, sharedStorage(), { traffic });
    await tab.start(PAIR);

    const call = tab.fetch(`${API}/products/`);
    await reached;
    await meanwhile(tab);
    release();

    t.is((await call).status, 401);
    t.is(traffic.seen.filter((line) => line.includes('/products/')).length, 1);
    t.deepEqual([tab.storage.pair(), tab.ends()], [kept, 0]);
  });

const SENT: [url: string, authorization: string | null][] = [
  ['https://api.example/v1/products/?next=/login/', 'Bearer a'],
  ['https://api.example/v1/login/?x=1', null],
  ['https://api.example/v2/products/', null],
  ['https://api.example/v1/../products/', null],
  ['https://api.example:8443/v1/products/', null],
  ['http://api.example/v1/products/', null],
  ['https://api.example.evil.example/v1/products/', null],
];

test('the token goes to the service alone, and not where a caller has credentials of its own', async (t) => {
  const sent: (string | null)[] = [];
  const tab = openTab(`${API}/`, sharedStorage(), {
    fetch: async (input, init) => {
      sent.push(new Request(input, init).headers.get('authorization'));
      return new Response();
    },
  });
  await tab.start(PAIR);

  await tab.fetch(`${API}/products/`, { headers: { authorization: 'Token mine' } });
  for (const [url] of SENT) await tab.fetch(url);

  t.deepEqual(sent, ['Token mine', ...SENT.map(([, authorization]) => authorization)]);
});

test('a 401 about what is in the body refreshes nothing, at every operation that has one', async (t) => {
  const { paths } = contractDocument() as {
    paths: Record<string, Record<string, { security: object[]; responses: object }>>;
  };
  const judgedByBody = Object.entries(paths).flatMap(([path, { post }]) =>
    post?.security.length === 0 && '401' in post.responses ? [path] : [],
  );
  const sent: string[] = [];
  const tab = openTab(API, sharedStorage(), {
    fetch: async (input, init) => {
      const { url, headers } = new Request(input, init);
      sent.push(`${url.slice(API.length)} ${headers.get('authorization')}`);
      return REFUSED();
    },
  });
  await tab.start(PAIR);

  for (const path of judgedByBody) await tab.fetch(API + path, { method: 'POST' });

  t.deepEqual(
    sent,
    judgedByBody.map((path) => `${path} null`),
  );
  t.true(judgedByBody.length >= 6);
  t.true(await tab.isOpen());
});

test('a login in another tab ends the session of this one, which goes on with the new one', async (t) => {
  const storage = sharedStorage();
  const one = openTab(API, storage);
  const other = openTab(API, storage);
  await one.start(PAIR);
  t.true(await other.isOpen());

  await other.start({ access: 'b', refresh: 's' });

  t.true(await one.isOpen());
  t.true(await one.isOpen());
  t.deepEqual([one.ends(), other.ends()], [1, 0]);
});

const STRANGE = [
  '',
  'null',
  '[]',
  '7',
  '{',
  '{"access":"a"}',
  '{"id":"1","access":"","refresh":"r"}',
];

test('what is no pair in the storage is no session', async (t) => {
  for (const text of STRANGE) {
    const storage = { ...sharedStorage(), getItem: () => text };
    t.false(await createSession({ api: API, storage }).isOpen(), text);
  }
});

test('without a storage each session has a memory of its own', async (t) => {
  const [one, other] = [createSession({ api: API }), createSession({ api: API })];

  await one.start(PAIR);

  t.deepEqual([await one.isOpen(), await other.isOpen()], [true, false]);
});
