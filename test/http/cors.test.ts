import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { contractDocument } from '../../src/contract.ts';
import type { Answer } from '../support/client.ts';
import { startWithoutDatabase } from './shell.ts';

const SHOP = 'https://shop.example';
const ADMIN = 'http://admin.example:8080';
const LISTED = { CORS_ALLOWED_ORIGINS: `${SHOP},${ADMIN}` };
const ASKED = { 'Access-Control-Request-Method': 'POST' };

const corsOf = ({ headers }: Answer): object =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));
const GRANTED = {
  'access-control-expose-headers':
    'Allow, Deprecation, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id',
};

const ANSWERS: [target: string, status: number, vary: string | null][] = [
  ['/', 200, 'Accept, Origin'],
  ['/login', 308, 'Origin'],
  ['/nowhere/', 404, 'Accept, Origin'],
  ['/products/', 401, 'Accept, Origin'],
  ['/login/', 405, 'Accept, Origin'],
  ['/auth/users/?format=xml', 404, 'Accept, Origin'],
  ['/.well-known/jwks.json', 200, 'Accept, Origin'],
  ['/openapi.json', 200, 'Origin'],
  ['/readyz', 503, 'Accept, Origin'],
];

test('pages of a listed origin may read every answer, refusals as well', async (t) => {
  const { client } = await startWithoutDatabase(t, LISTED);

  for (const Origin of [SHOP, ADMIN])
    for (const [target, status, vary] of ANSWERS) {
      const answer = await client.get(target, { headers: { Origin } });
      t.deepEqual([target, answer.status, answer.headers.get('vary')], [target, status, vary]);
      t.deepEqual(corsOf(answer), { 'access-control-allow-origin': Origin, ...GRANTED });
    }
});

const STRANGERS = [
  'https://evil.example',
  'http://shop.example',
  'https://shop.example:8443',
  'https://shop.example.evil.example',
  'https://SHOP.example',
  'https://shop.example/',
  `${SHOP}, ${ADMIN}`,
  'http://localhost:5173',
  'null',
  '*',
  '',
];

test('pages of any other origin may read nothing, and caches are told that it depends', async (t) => {
  const { client } = await startWithoutDatabase(t, LISTED);

  for (const Origin of [...STRANGERS, [SHOP, ADMIN]])
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await client.request(method, '/', { headers: { Origin, ...ASKED } });
      t.deepEqual([Origin, corsOf(answer)], [Origin, {}]);
      t.is(answer.headers.get('vary'), 'Accept, Origin');
    }
});

test('a preflight is a 204 that allows the methods of the contract and the headers that clients send', async (t) => {
  const { client } = await startWithoutDatabase(t, LISTED);
  const { paths } = contractDocument() as { paths: Record<string, object> };
  const methods = new Set(Object.values(paths).flatMap((item) => Object.keys(item)));

  for (const target of ['/products/', '/products/1/', '/nowhere/', '/docs'])
    for (const authorization of [undefined, 'Token bad']) {
      const headers = { Origin: SHOP, ...ASKED, 'Access-Control-Request-Headers': 'authorization' };
      const answer = await client.request('OPTIONS', target, { headers, authorization });
      t.deepEqual([answer.status, answer.text], [204, '']);
      t.is(answer.headers.get('vary'), 'Origin');
      t.like(corsOf(answer), {
        'access-control-allow-origin': SHOP,
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Request-Id',
        'access-control-max-age': '7200',
        'access-control-allow-credentials': undefined,
      });
      const allowed = answer.headers.get('access-control-allow-methods')?.toLowerCase().split(', ');
      t.deepEqual(allowed?.toSorted(), [...methods].toSorted());
    }
});

test('an OPTIONS that is no preflight is answered as ever', async (t) => {
  const { client } = await startWithoutDatabase(t, LISTED);

  for (const headers of [{ Origin: SHOP }, ASKED]) {
    const answer = await client.request('OPTIONS', '/products/', { headers });
    t.deepEqual(
      [answer.status, answer.body],
      [401, { detail: 'Authentication credentials were not provided.' }],
    );
    t.is(answer.headers.get('www-authenticate'), 'Token');
  }
});

const LOOPBACK = [
  'http://localhost:5173',
  'http://localhost',
  'http://127.0.0.1:3000',
  'http://[::1]:8080',
  'https://localhost:5173',
];
const ELSEWHERE = [
  'http://localhost.evil.example',
  'http://evil.example:5173',
  'http://127.0.0.1.evil.example',
  'http://localhost:5173x',
  'xhttp://localhost',
  'http://192.168.0.10:5173',
  'null',
];

test('in development pages of this machine may call it without a setting, and no others', async (t) => {
  const { client } = await startWithoutDatabase(t, { NODE_ENV: 'development' });

  for (const Origin of LOOPBACK) {
    const answer = await client.get('/', { headers: { Origin } });
    t.deepEqual(corsOf(answer), { 'access-control-allow-origin': Origin, ...GRANTED });
    const asked = await client.request('OPTIONS', '/', { headers: { Origin, ...ASKED } });
    t.deepEqual([asked.status, asked.headers.get('access-control-allow-origin')], [204, Origin]);
  }
  for (const Origin of ELSEWHERE)
    t.deepEqual([Origin, corsOf(await client.get('/', { headers: { Origin } }))], [Origin, {}]);
});

test('a list takes the place of the machine itself, in development too', async (t) => {
  const { client } = await startWithoutDatabase(t, { NODE_ENV: 'development', ...LISTED });

  for (const Origin of LOOPBACK)
    t.deepEqual(corsOf(await client.get('/', { headers: { Origin } })), {});
});

test('where nobody is allowed, and to those who name no origin in development, nothing is added', async (t) => {
  const production = {
    NODE_ENV: 'production',
    BCRYPT_ROUNDS: 10,
    SECRET_KEY: 'uE7jR2aM5xK9wQ4tV8nY3bH6pC1gD0fS',
    SIGNING_KEY: 'kP3vN8xQ2mW7rT5yB9cF4hJ6dL1sG0zA',
    DATA_DIR: path.join(os.tmpdir(), 'latchkey-none'),
  };
  for (const [settings, origins] of [
    [production, [...LOOPBACK, SHOP]],
    [{}, [...LOOPBACK, SHOP]],
    [{ NODE_ENV: 'development' }, [SHOP, undefined]],
  ] as const) {
    const { client } = await startWithoutDatabase(t, settings);
    for (const Origin of origins) {
      const answer = await client.get('/', { headers: { ...(Origin && { Origin }) } });
      t.deepEqual([Origin, corsOf(answer)], [Origin, {}]);
      t.is(answer.headers.get('vary'), 'Accept');
    }
  }
});
