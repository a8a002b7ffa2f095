import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Reason } from '../../src/errors.ts';
import { PROBLEMS } from '../../src/problems.ts';
import type { ErrorCode } from '../../src/problems.ts';
import { setActive } from '../../src/users/repository.ts';
import { withClaims } from '../jwt/forge.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { RequestOptions } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';
import { startWithoutDatabase } from './shell.ts';

interface Refused {
  code: ErrorCode;
  request: [method: string, path: string, options?: RequestOptions];
  detail: string;
  errors?: (Reason & { field: string })[];
}

/** Sends a request that is refused, once as it is and once naming problems; both answers tell the same. */
async function isToldTwice(t: ExecutionContext, { client }: TestApp, refused: Refused) {
  const { code, detail, errors, request } = refused;
  const [method, path, options = {}] = request;
  const Accept = 'application/json, application/problem+json';
  const plain = await client.request(method, path, options);
  const problem = await client.request(method, path, {
    ...options,
    headers: { ...options.headers, Accept, 'X-Request-Id': 'first-try' },
  });

  const { status, title } = PROBLEMS[code];
  t.deepEqual([plain.status, plain.headers.get('content-type')], [status, 'application/json']);
  t.deepEqual(problem.body, {
    type: `/problems#${code}`,
    title,
    status,
    detail,
    code,
    ...(errors && { errors }),
    request_id: 'first-try',
  });
  t.is(problem.headers.get('content-type'), 'application/problem+json');
  const unlike = ['content-type', 'content-length', 'date', 'x-request-id'];
  const [one, other] = [plain, problem].map(({ headers }) =>
    [...headers].filter(([name]) => !unlike.includes(name)),
  );
  t.deepEqual([problem.status, other], [plain.status, one]);
}

test('every refusal can be had as a problem, under every code of the contract', async (t) => {
  const app = await startApp(t, { INTROSPECTION_CLIENT_SECRET: 'shop' });
  const user = await createUser(app);
  const { access } = await logIn(app, user);
  const gone = await createUser(app);
  const { access: inactive } = await logIn(app, gone);
  await setActive({ id: gone.id, is_active: false }, app.db);
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const token = { authorization: `Token ${user.token}` };
  const text = { headers: { 'Content-Type': 'text/plain' } };

  const product = { name: 'Oak chair', price: '49.90' };
  const key = { headers: { 'Idempotency-Key': 'first' } };
  const added = await app.client.post('/products/', { ...token, ...key, json: product });
  const { id } = added.body as { id: number }; // the contract was checked by the client

  const refused: Refused[] = [
    {
      code: 'parse_error',
      request: ['POST', '/login/', { headers: { 'Content-Type': 'application/json' }, raw: '{' }],
      detail: 'JSON parse error - invalid JSON: line 1 column 2 (char 1)',
    },
    {
      code: 'not_authenticated',
      request: ['GET', '/products/'],
      detail: 'Authentication credentials were not provided.',
    },
    {
      code: 'authentication_failed',
      request: ['GET', '/', { authorization: 'Token x' }],
      detail: 'Invalid token.',
    },
    {
      code: 'no_active_account',
      request: ['POST', '/login/', { json: { username: 'nobody', password: 'x' } }],
      detail: 'No active account found with the given credentials',
    },
    {
      code: 'token_not_valid',
      request: ['GET', '/products/', bearer(withClaims(access, { exp: 1 }, app))],
      detail: 'Token is expired',
    },
    {
      code: 'token_not_valid',
      request: ['POST', '/refresh_token/', { json: { refresh: access } }],
      detail: 'Token has wrong type',
    },
    {
      code: 'bad_authorization_header',
      request: ['GET', '/products/', { authorization: 'Bearer' }],
      detail: 'Authorization header must contain two space-delimited values',
    },
    {
      code: 'user_not_found',
      request: ['GET', '/products/', bearer(withClaims(access, { user_id: '999' }, app))],
      detail: 'User not found',
    },
    {
      code: 'user_inactive',
      request: ['GET', '/products/', bearer(inactive)],
      detail: 'User is inactive',
    },
    {
      code: 'invalid_client',
      request: ['POST', '/auth/introspect/', { authorization: 'Basic eDp5' }],
      detail: 'Invalid client credentials.',
    },
    {
      code: 'permission_denied',
      request: ['POST', '/auth/introspect/', token],
      detail: 'You do not have permission to perform this action.',
    },
    { code: 'not_found', request: ['GET', '/nowhere/'], detail: 'Not found.' },
    {
      code: 'not_found',
      request: ['GET', '/products/999/', token],
      detail: 'No Product matches the given query.',
    },
    {
      code: 'method_not_allowed',
      request: ['GET', '/login/'],
      detail: 'Method "GET" not allowed.',
    },
    {
      code: 'precondition_failed',
      request: [
        'PATCH',
        `/products/${id}/`,
        { ...token, headers: { 'If-Match': '"x"' }, json: {} },
      ],
      detail: 'The current version is not one that If-Match names: read it again.',
    },
    {
      code: 'idempotency_key_reused',
      request: ['POST', '/products/', { ...token, ...key, json: { ...product, stock: 1 } }],
      detail: 'This idempotency key was used for another request.',
    },
    {
      code: 'invalid',
      request: [
        'POST',
        '/products/',
        { ...token, headers: { 'Idempotency-Key': 'a key' }, json: product },
      ],
      detail: 'Idempotency-Key: This value does not match the required pattern.',
      errors: [
        {
          field: 'Idempotency-Key',
          detail: 'This value does not match the required pattern.',
          code: 'invalid',
        },
      ],
    },
    {
      code: 'request_too_large',
      request: ['POST', '/login/', { ...text, raw: 'x'.repeat(16_385) }],
      detail: 'Request body is too large.',
    },
    {
      code: 'unsupported_media_type',
      request: ['POST', '/login/', { ...text, raw: 'x' }],
      detail: 'Unsupported media type "text/plain" in request.',
    },
    {
      code: 'invalid',
      request: ['POST', '/products/', { ...token, json: { name: '', price: 'x' } }],
      detail: 'name: This field may not be blank. price: A valid number is required.',
      errors: [
        { field: 'name', detail: 'This field may not be blank.', code: 'blank' },
        { field: 'price', detail: 'A valid number is required.', code: 'invalid' },
      ],
    },
    {
      code: 'invalid',
      request: ['POST', '/auth/token/', { json: { username: 'nobody', password: 'x' } }],
      detail: 'Unable to log in with provided credentials.',
      errors: [
        {
          field: 'non_field_errors',
          detail: 'Unable to log in with provided credentials.',
          code: 'authorization',
        },
      ],
    },
    {
      // DRF's list has no names; the problem has.
      code: 'invalid',
      request: ['GET', '/products/?search=%00', token],
      detail: 'search: Null characters are not allowed.',
      errors: [
        {
          field: 'search',
          detail: 'Null characters are not allowed.',
          code: 'null_characters_not_allowed',
        },
      ],
    },
  ];
  for (const one of refused) await isToldTwice(t, app, one);

  const away = await startWithoutDatabase(t);
  await isToldTwice(t, away, {
    code: 'service_unavailable',
    request: ['GET', '/products/', { authorization: 'Token x' }],
    detail: 'Service temporarily unavailable, try again later.',
  });

  const sparing = await startApp(t, { THROTTLE_ENABLED: true, THROTTLE_ANON: '0/s' });
  await isToldTwice(t, sparing, {
    code: 'throttled',
    request: ['GET', '/.well-known/jwks.json', {}],
    detail: 'Request was throttled. Expected available in 1 second.',
  });

  const reached = [...refused.map(({ code }) => String(code)), 'service_unavailable', 'throttled'];
  // A 406 is for those who take no JSON, so none is a problem. The next one is a race, which answer-once.test.ts runs;
  // the last is a fault, which error-response.test.ts makes.
  const unreached = Object.keys(PROBLEMS).filter((code) => !reached.includes(code));
  t.deepEqual(unreached, ['not_acceptable', 'idempotency_conflict', 'error']);
});
