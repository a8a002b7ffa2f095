import test from 'ava';
import type { ExecutionContext } from 'ava';
import { insertProduct } from '../../src/products/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Answer, RequestOptions } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { sendRaw, statusOf } from './raw.ts';
import { startWithoutDatabase } from './shell.ts';

const NOT_FOUND = { detail: 'Not found.' };
const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const BARE_TOKEN = { detail: 'Invalid token header. No credentials provided.' };
const NOT_ACCEPTABLE = { detail: 'Could not satisfy the request Accept header.' };
const DENIED = { detail: 'You do not have permission to perform this action.' };
const NO_PRODUCT = { detail: 'No Product matches the given query.' };
const MALFORMED = { detail: 'Malformed request.' };
const BROKEN = { detail: 'JSON parse error - invalid JSON: line 1 column 2 (char 1)' };
const TOO_LARGE = { detail: 'Request body is too large.' };
const notAllowed = (method: string): object => ({ detail: `Method "${method}" not allowed.` });

const XML = { Accept: 'application/xml' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const TEXT_TYPE = { 'Content-Type': 'text/plain' };

type Row = [method: string, path: string, options: RequestOptions, status: number, body: unknown];

async function play(t: ExecutionContext, { client }: TestApp, rows: Row[]): Promise<void> {
  for (const [method, path, options, status, body] of rows) {
    const answer = await client.request(method, path, options);
    const row = [method, path, JSON.stringify(options).slice(0, 120)];
    t.deepEqual([...row, answer.status, answer.body], [...row, status, body]);
  }
}

test('without credentials, path, Accept, permission and method decide in this order', async (t) => {
  const app = await startWithoutDatabase(t);
  const spoiled = { authorization: 'Token', headers: { ...XML, ...JSON_TYPE }, raw: '{' };
  const bare = { authorization: 'Token', headers: JSON_TYPE, raw: '{' };

  await play(t, app, [
    ['PATCH', '/nowhere/', spoiled, 404, NOT_FOUND],
    ['PATCH', '/products/abc/', spoiled, 404, NOT_FOUND],
    ['DELETE', '/products/', spoiled, 406, NOT_ACCEPTABLE],
    ['DELETE', '/products/', bare, 401, BARE_TOKEN],
    ['DELETE', '/products/', { headers: JSON_TYPE, raw: '{' }, 401, NO_CREDENTIALS],
    ['POST', '/products/', { headers: JSON_TYPE, raw: '{' }, 401, NO_CREDENTIALS],
    ['PUT', '/products/1/', { headers: TEXT_TYPE, raw: 'x' }, 401, NO_CREDENTIALS],
    ['POST', '/', bare, 401, BARE_TOKEN],
    ['POST', '/', { headers: JSON_TYPE, raw: '{' }, 405, notAllowed('POST')],
    ['GET', '/login/', bare, 405, notAllowed('GET')],
    ['TRACE', '/login/', {}, 405, notAllowed('TRACE')],
    ['POST', '/login/', bare, 400, BROKEN],
    ['POST', '/login/', { headers: TEXT_TYPE, raw: 'x'.repeat(16_385) }, 413, TOO_LARGE],
    [
      'POST',
      '/login/',
      { headers: TEXT_TYPE, raw: 'x'.repeat(16_384) },
      415,
      { detail: 'Unsupported media type "text/plain" in request.' },
    ],
    ['POST', '/auth/token/', bare, 401, BARE_TOKEN],
    ['POST', '/auth/token/', { headers: JSON_TYPE, raw: '{' }, 400, BROKEN],
  ]);
});

interface Shop extends TestApp {
  owner: TestUser;
  other: TestUser;
  staff: TestUser;
  path: string;
}

async function startShop(t: ExecutionContext): Promise<Shop> {
  const app = await startApp(t);
  const owner = await createUser(app);
  const { id } = await insertProduct({ name: 'Chair', price: '5', owner: owner.id }, app.db);
  const other = await createUser(app);
  const staff = await createUser(app, { is_staff: true });
  return { ...app, owner, other, staff, path: `/products/${id}/` };
}

const as = ({ token }: TestUser, options: RequestOptions = {}): RequestOptions => ({
  authorization: `Token ${token}`,
  ...options,
});

test('with credentials, method, object, its permission, type, size, body and query decide in this order', async (t) => {
  const shop = await startShop(t);
  const { owner, other, staff, path } = shop;
  const broken = { headers: JSON_TYPE, raw: '{' };
  const large = { headers: JSON_TYPE, raw: '{'.padEnd(262_145) };

  await play(t, shop, [
    ['POST', path, as(owner, broken), 405, notAllowed('POST')],
    ['PUT', '/products/999/', as(other, broken), 404, NO_PRODUCT],
    ['PUT', '/products/99999999999999999999/', as(other, broken), 404, NO_PRODUCT],
    ['PUT', `/products/${'9'.repeat(400)}/`, as(other, broken), 404, NO_PRODUCT],
    ['PUT', path, as(other, broken), 403, DENIED],
    ['PATCH', path, as(other, large), 403, DENIED],
    ['DELETE', path, as(other), 403, DENIED],
    ['PUT', path, as(owner, large), 413, TOO_LARGE],
    ['PUT', path, as(staff, broken), 400, BROKEN],
    [
      'PUT',
      path,
      as(owner, { json: [] }),
      400,
      {
        non_field_errors: ['Invalid data. Expected a dictionary, but got list.'],
      },
    ],
    [
      'POST',
      '/products/?price=x',
      as(owner, { json: { name: 'a' } }),
      400,
      {
        price: ['This field is required.'],
      },
    ],
    ['GET', '/products/?price=x&cursor=x', as(owner), 400, { price: ['Enter a number.'] }],
    ['GET', '/products/?cursor=x', as(owner), 404, { detail: 'Invalid cursor' }],
    ['DELETE', path, as(staff, broken), 204, undefined],
    ['DELETE', path, as(owner, broken), 404, NO_PRODUCT],
  ]);
});

test('a text that is no number names no product, and so no page', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const ids = [
    'abc',
    '1a',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    '%31',
    '1%2F',
    '',
    '%20',
    '%D9%A3',
    '1/2',
  ];

  for (const id of ids) {
    const answer = await client.get(`/products/${id}/`, {
      authorization: 'Token',
    });
    t.deepEqual([id, answer.status, answer.body], [id, 404, NOT_FOUND]);
    t.is(answer.headers.get('allow'), null);
  }
});

const NO_PATHS = [
  ...['/nowhere', '/nowhere/', '/%zz/', '/%', '//', '//products/', '/products//', '/./products/'],
  ...['/PRODUCTS/', '/products/%00/', '/products%2F', '/login/x/', '/login//', '/%2e%2e/products/'],
  ...[
    '/products/1/1/',
    '/docs/nothing',
    '/docs/../openapi.yaml',
    '/docs/%2e%2e/package.json',
    '/%ff/',
  ],
  ...['/generated/openapi.json', '/package.json', '/.env', '/constructor/', '/__proto__/'],
];

test('a path that nobody knows is a 404 in JSON, whatever the method', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const path of NO_PATHS) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const answer = await client.request(method, path, { headers: { Accept: 'text/html' } });
      t.deepEqual([path, method, answer.status, answer.body], [path, method, 404, NOT_FOUND]);
      t.is(answer.headers.get('x-content-type-options'), 'nosniff');
    }
  }
});

const WITHOUT_SLASH: [path: string, location: string][] = [
  ['/login', '/login/'],
  ['/auth/token', '/auth/token/'],
  ['/products', '/products/'],
  ['/products?price=1&a=%2F', '/products/?price=1&a=%2F'],
  ['/products?next=//evil.example', '/products/?next=//evil.example'],
  ['/products/1', '/products/1/'],
  ['/products/1?', '/products/1/'],
];

test('without its last slash a path is a redirect that keeps method and query, before anything else', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const [path, location] of WITHOUT_SLASH) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const options = { authorization: 'Token', headers: { Accept: 'text/html' } };
      const answer = await client.request(method, path, options);
      t.deepEqual([method, path, answer.status], [method, path, 308]);
      t.is(answer.headers.get('location'), location);
    }
  }
});

const ALLOWED: [path: string, allow: string][] = [
  ['/', 'GET, HEAD, OPTIONS'],
  ['/auth/token/', 'POST, OPTIONS'],
  ['/login/', 'POST, OPTIONS'],
  ['/refresh_token/', 'POST, OPTIONS'],
  ['/verify_token/', 'POST, OPTIONS'],
  ['/blacklist_token/', 'POST, OPTIONS'],
  ['/products/', 'GET, POST, HEAD, OPTIONS'],
  ['/products/1/', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS'],
];

test('OPTIONS and refusals list the methods of a path, in the order of DRF', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  for (const [path, allow] of ALLOWED) {
    const options = await app.client.request('OPTIONS', path, as(user));
    const refused = await app.client.request('PROPFIND', path, as(user));
    t.deepEqual([path, options.status, options.text], [path, 204, '']);
    t.deepEqual([path, refused.status, refused.body], [path, 405, notAllowed('PROPFIND')]);
    t.deepEqual([options, refused].map(allowOf), [allow, allow]);
  }
});

const allowOf = ({ headers }: Answer): string | null => headers.get('allow');

test('OPTIONS asks for the credentials that the path asks for', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const answer = await client.request('OPTIONS', '/products/');

  t.deepEqual([answer.status, answer.body], [401, NO_CREDENTIALS]);
  t.is((await client.request('OPTIONS', '/login/', { headers: XML })).status, 406);
});

test('HEAD answers what GET does, without the body', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const path of ['/', '/products/', '/login/', '/nowhere/', '/docs', '/healthz']) {
    const get = await client.get(path);
    const head = await client.request('HEAD', path);
    const without = ({ headers }: Answer) =>
      [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
    t.deepEqual([path, head.status, head.text], [path, get.status, '']);
    if (get.status !== 405) t.deepEqual(without(head), without(get));
  }
});

const REPEATED: Record<string, string[]>[] = [
  { Authorization: ['Token a', 'Token b'] },
  { Authorization: ['', ''] },
  { authorization: ['Basic x', 'Basic x'] },
  { 'Content-Type': ['application/json', 'text/plain'] },
];

test('a header that must stand once and stands twice is a 400, before all other refusals', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const headers of REPEATED) {
    const answer = await client.get('/products/', { headers: { ...headers, ...XML } });
    t.deepEqual([headers, answer.status, answer.body], [headers, 400, MALFORMED]);
  }
  t.is((await client.get('/', { headers: { 'X-Any': ['a', 'b'] } })).status, 200);
});

test('more than a hundred headers are a 400', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const some = (count: number) => ({ headers: { 'X-Any': Array<string>(count).fill('a') } });

  t.is((await client.get('/', some(98))).status, 200); // Host and Connection make it a hundred
  const answer = await client.get('/', some(99));
  t.deepEqual([answer.status, answer.body], [400, MALFORMED]);
});

const RAW: [what: string, lines: string[], status: number][] = [
  [
    'two lengths',
    ['POST /login/ HTTP/1.1', 'Host: a', 'Content-Length: 2', 'Content-Length: 3'],
    400,
  ],
  [
    'length and chunks',
    ['POST /login/ HTTP/1.1', 'Host: a', 'Content-Length: 2', 'Transfer-Encoding: chunked'],
    400,
  ],
  ['two hosts', ['GET / HTTP/1.1', 'Host: a', 'Host: a'], 400],
  ['no host', ['GET / HTTP/1.1'], 400],
  ['a space before the colon', ['GET / HTTP/1.1', 'Host : a'], 400],
  ['a folded header', ['GET / HTTP/1.1', 'Host: a', 'X-Any: a', ' b'], 400],
  ['an absolute target', ['GET http://evil.example/ HTTP/1.1', 'Host: a'], 200],
  ['an asterisk', ['OPTIONS * HTTP/1.1', 'Host: a'], 404],
  ['no slash', ['GET products/ HTTP/1.1', 'Host: a'], 400],
];

test('the parser refuses what has two meanings, and an absolute target names a path like any other', async (t) => {
  const { base } = await startWithoutDatabase(t);

  for (const [what, lines, status] of RAW) {
    const answer = await sendRaw(base, `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    t.deepEqual([what, statusOf(answer)], [what, status]);
  }
});

async function nextLink({ client }: TestApp, user: TestUser, headers: Record<string, string>) {
  const answer = await client.get('/products/?page_size=1&search=a%20b', as(user, { headers }));
  return (answer.body as { next: string }).next; // the contract was checked by the client
}

const HOSTS = {
  Host: 'evil.example',
  'X-Forwarded-Host': 'evil.example',
  'X-Forwarded-Proto': 'https',
  Forwarded: 'host=evil.example;proto=https',
};

for (const [what, settings, origin] of [
  ['the configured origin', { BASE_URL: 'https://shop.example.com' }, 'https://shop.example.com'],
  ["the socket's own address", {}, undefined],
] as const) {
  test(`links lead to ${what}, whatever host a caller names`, async (t) => {
    const app = await startApp(t, settings);
    const user = await createUser(app);
    for (const name of ['a b', 'b a', 'ab b'])
      await insertProduct({ name, price: '1', owner: user.id }, app.db);

    const next = new URL(await nextLink(app, user, HOSTS));

    t.is(next.origin, origin ?? app.base);
    t.is(next.pathname, '/products/');
    t.deepEqual([...next.searchParams.keys()], ['cursor', 'page_size', 'search']);
  });
}

test('answers with tokens are for no cache, and no other answer says so', async (t) => {
  const app = await startApp(t);
  const { client } = app;
  const user = await createUser(app);
  const json = { username: user.username, password: user.plain };
  const { refresh, access } = await logIn(app, user);

  const secret = [
    await client.post('/auth/token/', { json }),
    await client.post('/login/', { json }),
    await client.post('/refresh_token/', { json: { refresh } }),
  ];
  const open = [
    await client.post('/login/', { json: { ...json, password: 'wrong' } }),
    await client.post('/auth/token/', { json: {} }),
    await client.post('/verify_token/', { json: { token: access } }),
    await client.post('/blacklist_token/', { json: { refresh } }),
    await client.post('/refresh_token/', { json: { refresh } }),
    await client.get('/products/', { authorization: `Bearer ${access}` }),
    await client.get('/'),
  ];

  t.deepEqual(secret.map(cacheOf), [
    [200, 'no-store'],
    [200, 'no-store'],
    [200, 'no-store'],
  ]);
  t.deepEqual(open.map(cacheOf), [
    [401, null],
    [400, null],
    [200, null],
    [200, null],
    [401, null],
    [401, null],
    [200, null],
  ]);
});

const cacheOf = ({ status, headers }: Answer) => [status, headers.get('cache-control')];

test('every answer carries the headers that Django adds, and none that tells what serves it', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const expected = {
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    server: null,
    'x-powered-by': null,
    etag: null,
    'access-control-allow-origin': null,
  };

  for (const path of [
    '/',
    '/login/',
    '/login',
    '/nowhere/',
    '/docs',
    '/healthz',
    '/openapi.yaml',
  ]) {
    const { headers } = await client.get(path, { headers: { Origin: 'https://evil.example' } });
    const found = Object.keys(expected).map((name) => [name, headers.get(name)]);
    t.deepEqual([path, Object.fromEntries(found)], [path, expected]);
  }
});

test('without a database, what needs one is a 503 that says when to try again, and the rest goes on', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const body = { detail: 'Service temporarily unavailable, try again later.' };

  for (const authorization of [`Token ${'a'.repeat(40)}`]) {
    const answer = await client.get('/products/', { authorization });
    t.deepEqual([answer.status, answer.body], [503, body]);
    t.is(answer.headers.get('retry-after'), '1');
    t.is(answer.headers.get('www-authenticate'), null);
  }
  t.is((await client.get('/')).status, 200);
  t.is((await client.get('/products/')).status, 401);
});
