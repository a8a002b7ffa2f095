import { randomUUID } from 'node:crypto';
import type { OperationId } from '../../src/contract.ts';
import { claimsOf } from '../jwt/forge.ts';
import type { Answer } from '../support/client.ts';
import type { Session } from '../support/factories.ts';
import { CHAIR } from './callers.ts';
import type { Caller } from './callers.ts';

type Ask = (caller: Caller) => Promise<Answer>;

const credentials = ({ user }: Caller) => ({ username: user.username, password: user.plain });
const idempotent = (key: string) => ({ headers: { 'Idempotency-Key': key }, json: CHAIR });
const seen = ({ productTag }: Caller) => ({ headers: { 'If-Match': productTag } });

const verify =
  (kind: keyof Session): Ask =>
  ({ client, session }) =>
    client.post('/verify_token/', { json: { token: session[kind] } });
const introspect =
  (tokenOf: (caller: Caller) => string): Ask =>
  (caller) =>
    caller.client.post('/auth/introspect/', caller.as({ json: { token: tokenOf(caller) } }));
const revoke =
  (tokenOf: (caller: Caller) => string): Ask =>
  (caller) =>
    caller.client.post('/auth/revoke/', { json: { token: tokenOf(caller) } });

/** Every operation, in each way in which what it does takes another number of statements. */
export const REQUESTS: [name: `${OperationId}${string}`, statements: number, ask: Ask][] = [
  ['hello', 0, ({ client, as }) => client.get('/', as())],
  ['obtainAuthToken', 9, (one) => one.client.post('/auth/token/', { json: credentials(one) })],
  ['destroyAuthToken', 1, ({ client, as }) => client.post('/auth/token/logout/', as())],
  ['rotateAuthToken', 1, ({ client, as }) => client.post('/auth/token/rotate/', as())],
  [
    'registerUser',
    8,
    ({ client }) =>
      client.post('/auth/users/', {
        json: { username: randomUUID(), password: 'a battery, a staple' },
      }),
  ],
  ['retrieveMe', 0, ({ client, as }) => client.get('/auth/users/me/', as())],
  [
    'updateMe',
    1,
    ({ client, as }) => client.patch('/auth/users/me/', as({ json: { email: 'a@b.example' } })),
  ],
  [
    'setPassword',
    7,
    ({ client, user, as }) =>
      client.post(
        '/auth/users/set_password/',
        as({ json: { current_password: user.plain, new_password: 'a battery, a staple' } }),
      ),
  ],
  ['login', 9, (one) => one.client.post('/login/', { json: credentials(one) })],
  [
    'refreshToken',
    1,
    ({ client, session: { refresh } }) => client.post('/refresh_token/', { json: { refresh } }),
  ],
  [
    'refreshToken with rotation',
    1,
    ({ rotating, session: { refresh } }) => rotating.post('/refresh_token/', { json: { refresh } }),
  ],
  [
    'obtainSlidingToken',
    9,
    (one) => one.client.post('/login/sliding/', { json: credentials(one) }),
  ],
  [
    'refreshSlidingToken',
    1,
    ({ client, sliding: token }) => client.post('/refresh_token/sliding/', { json: { token } }),
  ],
  ['verifyToken of an access token', 0, verify('access')],
  ['verifyToken of a refresh token', 1, verify('refresh')],
  [
    'blacklistToken',
    1,
    ({ client, session: { refresh } }) => client.post('/blacklist_token/', { json: { refresh } }),
  ],
  ['listSessions', 1, ({ client, as }) => client.get('/auth/sessions/', as())],
  [
    'revokeAllSessions',
    2,
    ({ client, as }) => client.post('/auth/sessions/revoke_all/', as({ json: {} })),
  ],
  [
    'revokeAllSessions but the current one',
    4,
    ({ client, session }) =>
      client.post('/auth/sessions/revoke_all/', {
        authorization: `Bearer ${session.access}`,
        json: { keep_current: true },
      }),
  ],
  [
    'endSession',
    1,
    ({ client, sliding, as }) =>
      client.delete(`/auth/sessions/${String(claimsOf(sliding).sid)}/`, as()),
  ],
  ['introspectToken of an access token', 0, introspect(({ session }) => session.access)],
  ['introspectToken of a refresh token', 1, introspect(({ session }) => session.refresh)],
  ['introspectToken of an opaque token', 1, introspect(({ user }) => user.token)],
  ['revokeToken of an access token', 1, revoke(({ session }) => session.access)],
  ['revokeToken of a refresh token', 1, revoke(({ session }) => session.refresh)],
  ['revokeToken of a sliding token', 1, revoke(({ sliding }) => sliding)],
  ['revokeToken of an opaque token', 1, revoke(({ user }) => user.token)],
  ['listProducts', 1, ({ client, as }) => client.get('/products/', as())],
  [
    'listProducts with filters and search',
    1,
    ({ client, as }) => client.get('/products/?search=hai&price__lt=6&ordering=price', as()),
  ],
  ['createProduct', 1, ({ client, as }) => client.post('/products/', as({ json: CHAIR }))],
  [
    'createProduct with a new Idempotency-Key',
    6,
    ({ client, as }) => client.post('/products/', as(idempotent(randomUUID()))),
  ],
  [
    'createProduct with a used Idempotency-Key',
    4,
    ({ client, usedKey, as }) => client.post('/products/', as(idempotent(usedKey))),
  ],
  ['retrieveProduct', 1, ({ client, product, as }) => client.get(product, as())],
  [
    'updateProduct',
    2,
    ({ client, product, as }) => client.put(product, as({ json: { ...CHAIR, stock: 1 } })),
  ],
  [
    'updateProduct with If-Match',
    6,
    (one) => one.client.put(one.product, one.as({ ...seen(one), json: CHAIR })),
  ],
  [
    'partialUpdateProduct',
    2,
    ({ client, product, as }) => client.patch(product, as({ json: { stock: 1 } })),
  ],
  [
    'partialUpdateProduct with If-Match',
    6,
    (one) => one.client.patch(one.product, one.as({ ...seen(one), json: {} })),
  ],
  ['destroyProduct', 2, ({ client, product, as }) => client.delete(product, as())],
  ['destroyProduct with If-Match', 6, (one) => one.client.delete(one.product, one.as(seen(one)))],
  ['getJwks', 0, ({ client }) => client.get('/.well-known/jwks.json')],
];
