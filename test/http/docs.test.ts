import { readFileSync } from 'node:fs';
import test from 'ava';
import { filledIn } from '../../src/http/page/code-samples.js';
import { describeFilters, endedBy, givenBy, headerOf } from '../../src/http/page/credentials.js';
import { startWithoutDatabase } from './shell.ts';

const textOf = (name: string): string =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES: [path: string, type: string][] = [
  ['/docs', 'text/html; charset=utf-8'],
  ['/docs/', 'text/html; charset=utf-8'],
  ['/docs/start.js', 'text/javascript; charset=utf-8'],
  ['/docs/credentials.js', 'text/javascript; charset=utf-8'],
  ['/docs/code-samples.js', 'text/javascript; charset=utf-8'],
  ['/docs/page.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/docs/favicon-32x32.png', 'image/png'],
];

test('the documentation is served with a policy that lets nothing in from elsewhere', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const [path, type] of FILES) {
    const { status, headers } = await client.get(path);
    const found = ['content-type', 'content-security-policy', 'cache-control'].map((name) =>
      headers.get(name),
    );
    t.deepEqual([path, status, ...found], [path, 200, type, POLICY, 'no-cache']);
  }
});

test('the page loads its own files only, and holds no script of its own', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const { text } = await client.get('/docs');

  const links = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link);
  t.deepEqual(links.toSorted(), [
    '/docs/favicon-32x32.png',
    '/docs/page.css',
    '/docs/start.js',
    '/docs/swagger-ui-bundle.js',
    '/docs/swagger-ui.css',
  ]);
  for (const link of links) t.is((await client.get(link)).status, 200, link);
  t.notRegex(text, /<script>|<style|\son\w+=|https?:/);
});

test('the examples of filters move into words, and those of the path stay', (t) => {
  const filter = { in: 'query', description: 'The exact name.', example: 'Oak chair' };
  const id = { in: 'path', description: 'The number.', example: 42 };
  const get = { parameters: [filter, id, { $ref: '#/components/parameters/ProductId' }] };

  t.deepEqual(describeFilters({ paths: { '/products/': { get, post: {} } } }).paths['/products/'], {
    get: {
      parameters: [
        { in: 'query', description: 'The exact name.\n\nExample: `Oak chair`' },
        { in: 'path', description: 'The number.', example: 42 },
        { $ref: '#/components/parameters/ProductId' },
      ],
    },
    post: {},
  });
});

const KEY = 'a'.repeat(40);
const TYPED: [typed: string | undefined, sent: string | undefined][] = [
  [undefined, undefined],
  [` ${KEY} `, `Token ${KEY}`],
  [`Token ${KEY}`, `Token ${KEY}`],
  [`Bearer ${KEY}`, `Token ${KEY}`],
  [`Bearer Token ${KEY}`, `Token ${KEY}`],
  ['a.b-c.d_e', 'Bearer a.b-c.d_e'],
  ['Bearer a.b.c', 'Bearer a.b.c'],
  ['Bearer Bearer a.b.c', 'Bearer a.b.c'],
  ['JWT a.b.c', 'JWT a.b.c'],
  ['Basic YTpi', 'Basic YTpi'],
];

test('what is typed into the page as credentials is sent with its keyword', (t) => {
  for (const [Authorization, sent] of TYPED) {
    const request = { method: 'GET', url: '/products/', headers: { Authorization } };
    t.is(headerOf(request), sent, Authorization);
  }
});

test('who asks for a token sends none, for a bad one would be refused', (t) => {
  const headers = { Authorization: `Token ${KEY}` };
  const url = 'http://127.0.0.1:8000/auth/token/';

  t.is(headerOf({ method: 'POST', url, headers }), undefined);
  t.is(headerOf({ method: 'POST', url: `${url}rotate/`, headers }), `Token ${KEY}`);
});

const origin = 'http://127.0.0.1:8000';
const pair = JSON.stringify({ refresh: 'r', access: 'a' });

test('the credentials that an answer gives are taken over, and those of no other answer', (t) => {
  const given = (path: string, text: string, ok = true) =>
    givenBy({ ok, url: `${origin}${path}`, text });

  t.deepEqual(given('/login/', pair), { scheme: 'bearerJWT', value: 'a', refresh: 'r' });
  for (const path of ['/auth/token/', '/auth/token/rotate/'])
    t.like(given(path, '{"token":"k"}'), { scheme: 'tokenAuth', value: 'k' }, path);
  t.like(given('/refresh_token/', '{"access":"b"}'), { scheme: 'bearerJWT', value: 'b' });
  t.is(given('/login/', '{"detail":"No."}', false), undefined);
  t.is(given('/login/sliding/', '{"token":"s"}'), undefined);
  t.is(given('/products/', '{}'), undefined);
});

test('the credentials that an answer ends are dropped', (t) => {
  const ended = (path: string, ok = true) => endedBy({ ok, url: `${origin}${path}` });

  t.deepEqual(ended('/auth/token/logout/'), ['tokenAuth']);
  t.deepEqual(ended('/auth/users/set_password/'), ['tokenAuth', 'bearerJWT']);
  t.deepEqual(ended('/blacklist_token/', false), []);
  t.deepEqual(ended('/products/'), []);
});

const SAMPLE =
  "curl http://127.0.0.1:8000/ -H 'Authorization: Token YOUR_TOKEN' -d YOUR_REFRESH_TOKEN";
const FILLED: [known: { authorization?: string; refresh?: string }, sample: string][] = [
  [{}, "curl https://shop.example/ -H 'Authorization: Token YOUR_TOKEN' -d YOUR_REFRESH_TOKEN"],
  [
    { authorization: 'Bearer a.b-c.d_e', refresh: 'f.g.h' },
    "curl https://shop.example/ -H 'Authorization: Bearer a.b-c.d_e' -d f.g.h",
  ],
  // They could end the text that they stand in, and begin a command.
  [
    { authorization: "x' --data @/etc/passwd '", refresh: '$(reboot)' },
    "curl https://shop.example/ -H 'Authorization: Token YOUR_TOKEN' -d YOUR_REFRESH_TOKEN",
  ],
];

test('samples are filled in with what the page knows, unless it is no token', (t) => {
  for (const [known, sample] of FILLED)
    t.is(filledIn(SAMPLE, { origin: 'https://shop.example', ...known }), sample);
});

const CONTRACTS: [path: string, file: string, type: string][] = [
  ['/openapi.yaml', 'openapi.yaml', 'application/yaml; charset=utf-8'],
  ['/openapi.json', 'generated/openapi.json', 'application/json'],
  ['/openapi-3.0.json', 'generated/openapi-3.0.json', 'application/json'],
];

for (const DOCS of [true, false]) {
  test(`the contract is served letter by letter, DOCS=${DOCS}`, async (t) => {
    const { client } = await startWithoutDatabase(t, { DOCS });

    for (const [path, file, type] of CONTRACTS) {
      const { status, headers, text } = await client.get(path);
      t.deepEqual([path, status, headers.get('content-type')], [path, 200, type]);
      t.is(text, textOf(file));
    }
  });
}

test('DOCS=false leaves nothing of the page', async (t) => {
  const { client } = await startWithoutDatabase(t, { DOCS: false });

  for (const [path] of FILES) {
    const { status, body } = await client.get(path);
    t.deepEqual([path, status, body], [path, 404, { detail: 'Not found.' }]);
  }
});

const OUTSIDE = [
  ...['/docs/package.json', '/docs/index.html', '/docs/../package.json', '/docs/..%2fpackage.json'],
  ...[
    '/docs/%2e%2e/%2e%2e/package.json',
    '/docs//etc/passwd',
    '/docs/swagger-ui.js',
    '/docs/start.js%00',
  ],
  ...['/openapi.yaml/../.env', '/generated/openapi.ts', '/openapi.ts', '/docs/swagger-ui.css.map'],
];

test('beside the files that the page needs nothing can be read', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const path of OUTSIDE) {
    const { status, body } = await client.get(path);
    t.deepEqual([path, status, body], [path, 404, { detail: 'Not found.' }]);
  }
});
