import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Client } from '../support/client.ts';
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
    '/docs/start.js',
    '/docs/swagger-ui-bundle.js',
    '/docs/swagger-ui.css',
  ]);
  for (const link of links) t.is((await client.get(link)).status, 200, link);
  t.notRegex(text, /<script>|<style|\son\w+=|https?:/);
});

interface Options {
  spec: { paths: Record<string, Record<string, { parameters?: object[] }>> };
  validatorUrl: unknown;
  requestInterceptor: (request: object) => object;
}

/** What the page's script hands to Swagger UI. */
async function shownBy(script: string, client: Client): Promise<Options> {
  const fetchJson = async (path: string) => ({ json: async () => (await client.get(path)).body });
  return new Promise((resolve) => {
    new Function('window', 'fetch', 'SwaggerUIBundle', script)({}, fetchJson, resolve);
  });
}

test('the page shows this contract, and moves the examples of filters into words', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const { spec, validatorUrl } = await shownBy((await client.get('/docs/start.js')).text, client);

  const contract = JSON.parse(textOf('generated/openapi.json'));
  t.deepEqual(Object.keys(spec.paths), Object.keys(contract.paths));
  t.is(validatorUrl, null);
  t.like(spec.paths['/products/']?.get?.parameters?.[0], {
    name: 'name',
    description: 'The exact name, in the same case.\n\nExample: `Oak chair`',
    example: undefined,
  });
});

test('a bare key that is typed into the page is sent with its keyword', async (t) => {
  const { client } = await startWithoutDatabase(t);
  const { requestInterceptor } = await shownBy((await client.get('/docs/start.js')).text, client);
  const sent = (Authorization: string) => requestInterceptor({ headers: { Authorization } });
  const key = 'a'.repeat(40);

  t.deepEqual(sent(` ${key} `), { headers: { Authorization: `Token ${key}` } });
  t.deepEqual(sent(`Token ${key}`), { headers: { Authorization: `Token ${key}` } });
  t.deepEqual(sent('Bearer a.b.c'), { headers: { Authorization: 'Bearer a.b.c' } });
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
