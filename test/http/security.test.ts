import test from 'ava';
import type { User } from '../../src/db.ts';
import { ApiError } from '../../src/errors.ts';
import type { Parts } from '../../src/http/operation.ts';
import { authorize, authorizeObject } from '../../src/http/security.ts';
import { testConfig } from '../support/config.ts';
import { createDeps } from '../support/deps.ts';
import { databaseAway, serveContract } from './shell.ts';
import { contractOf, operation, SCHEMES, STAFF, USER } from './small-contracts.ts';

const CALLERS = {
  anonymous: '',
  user: 'Key alice',
  staff: 'Key moderator',
  client: 'Client shop',
};
type Caller = keyof typeof CALLERS;

interface Rule {
  permissions: string[];
  method: string;
  /** What each caller gets: 200 stands for a pass. */
  statuses: Record<Caller, number>;
}

const OPEN = { anonymous: 200, user: 200, staff: 200, client: 200 };
const MEMBERS = { anonymous: 401, user: 200, staff: 200, client: 403 };
const STAFF_ONLY = { anonymous: 401, user: 403, staff: 200, client: 403 };
const STAFF_OR_CLIENT = { ...STAFF_ONLY, client: 200 };

const RULES: Rule[] = [
  { permissions: ['AllowAny'], method: 'GET', statuses: OPEN },
  { permissions: ['AllowAny'], method: 'DELETE', statuses: OPEN },
  { permissions: ['IsAuthenticated'], method: 'GET', statuses: MEMBERS },
  { permissions: ['IsAuthenticated'], method: 'POST', statuses: MEMBERS },
  { permissions: ['IsAdminUser'], method: 'GET', statuses: STAFF_ONLY },
  { permissions: ['IsAdminUser'], method: 'POST', statuses: STAFF_ONLY },
  { permissions: ['IsAdminUserOrClient'], method: 'POST', statuses: STAFF_OR_CLIENT },
  { permissions: ['IsAuthenticatedOrReadOnly'], method: 'GET', statuses: OPEN },
  { permissions: ['IsAuthenticatedOrReadOnly'], method: 'HEAD', statuses: OPEN },
  { permissions: ['IsAuthenticatedOrReadOnly'], method: 'OPTIONS', statuses: OPEN },
  { permissions: ['IsAuthenticatedOrReadOnly'], method: 'POST', statuses: MEMBERS },
  { permissions: ['IsAuthenticatedOrReadOnly'], method: 'PROPFIND', statuses: MEMBERS },
  { permissions: ['IsAuthenticated', 'IsAdminUser'], method: 'GET', statuses: STAFF_ONLY },
  { permissions: ['AllowAny', 'IsAdminUser'], method: 'GET', statuses: STAFF_ONLY },
  { permissions: ['IsAuthenticated', 'IsOwnerOrStaff'], method: 'PUT', statuses: MEMBERS },
];

const statusOf = (error: unknown): number => (error instanceof ApiError ? error.status : 500);

for (const { permissions, method, statuses } of RULES) {
  for (const [caller, authorization] of Object.entries(CALLERS)) {
    const status = statuses[caller as Caller];

    test(`${permissions.join(' and ')}: ${method} is a ${status} for ${caller}`, async (t) => {
      const schemes = ['tokenAuth', 'clientAuth'];
      const requirement = { schemes, permissions, challengeScheme: 'tokenAuth' };
      const deps = await createDeps(t, testConfig(), { db: await databaseAway(t) });

      const outcome = await authorize(requirement, { authorization, method }, SCHEMES, deps).then(
        () => 200,
        statusOf,
      );

      t.is(outcome, status);
    });
  }
}

const REGISTRATION: [isOpen: boolean, schemes: string[], statuses: Record<Caller, number>][] = [
  [true, [], OPEN],
  [true, ['tokenAuth'], OPEN],
  [false, ['tokenAuth'], { anonymous: 401, user: 403, staff: 403, client: 401 }],
  // Where credentials are not looked at, sending some is no way in.
  [false, [], { anonymous: 403, user: 403, staff: 403, client: 403 }],
];

for (const [isOpen, schemes, statuses] of REGISTRATION) {
  for (const [caller, authorization] of Object.entries(CALLERS)) {
    const status = statuses[caller as Caller];

    test(`IsRegistrationOpen: ${isOpen} is a ${status} for ${caller}, asked for ${schemes.join() || 'nothing'}`, async (t) => {
      const permissions = ['AllowAny', 'IsRegistrationOpen'];
      const requirement = { schemes, permissions, challengeScheme: 'tokenAuth' };
      const config = testConfig({ REGISTRATION: isOpen });
      const deps = await createDeps(t, config, { db: await databaseAway(t) });
      const request = { authorization, method: 'POST' };

      const outcome = await authorize(requirement, request, SCHEMES, deps).then(
        () => 200,
        statusOf,
      );

      t.is(outcome, status);
    });
  }
}

const OBJECTS: [who: string, user: User | null, owner: number, status: number][] = [
  ['its owner', USER, USER.id, 200],
  ['somebody else', USER, 99, 403],
  ['staff', STAFF, 99, 200],
  ['a superuser without staff', { ...USER, is_superuser: true }, 99, 403],
  ['nobody', null, USER.id, 401],
];

for (const [who, user, owner, status] of OBJECTS) {
  test(`IsOwnerOrStaff: an object is a ${status} for ${who}`, (t) => {
    const authorizeIt = () => authorizeObject(['IsAuthenticated', 'IsOwnerOrStaff'], user, owner);

    if (status === 200) t.notThrows(authorizeIt);
    else t.is(statusOf(t.throws(authorizeIt, { instanceOf: ApiError })), status);
  });
}

const ANYONE = [{}, { tokenAuth: [] }];
const MEMBER = [{ tokenAuth: [] }];
const CONTRACT = contractOf({
  '/notices/': {
    get: operation('listNotices', {
      security: ANYONE,
      'x-permissions': ['IsAuthenticatedOrReadOnly'],
    }),
    post: operation('addNotice', {
      security: ANYONE,
      'x-permissions': ['IsAuthenticatedOrReadOnly'],
    }),
  },
  '/audits/': {
    get: operation('listAudits', { security: MEMBER, 'x-permissions': ['IsAdminUser'] }),
  },
  '/questions/': {
    post: operation('ask', {
      security: [...MEMBER, { clientAuth: [] }],
      'x-permissions': ['IsAdminUserOrClient'],
    }),
  },
  '/closed/': { get: operation('greet', { security: [], 'x-permissions': ['AllowAny'] }) },
});
const done = () => ({ status: 200, body: {} });
const PARTS: Parts = {
  handlers: { listNotices: done, addNotice: done, listAudits: done, ask: done, greet: done },
  owners: {},
  tags: {},
  security: SCHEMES,
};

const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const DENIED = { detail: 'You do not have permission to perform this action.' };
const BAD_KEY = { detail: 'Invalid key.' };

const REQUESTS: [
  method: string,
  path: string,
  authorization: string,
  status: number,
  body: object,
][] = [
  ['GET', '/notices/', '', 200, {}],
  ['POST', '/notices/', '', 401, NO_CREDENTIALS],
  ['POST', '/notices/', 'Key alice', 200, {}],
  ['GET', '/notices/', 'Key mallory', 401, BAD_KEY],
  ['GET', '/notices/', 'Other mallory', 200, {}],
  ['GET', '/audits/', '', 401, NO_CREDENTIALS],
  ['GET', '/audits/', 'Key mallory', 401, BAD_KEY],
  ['GET', '/audits/', 'Other moderator', 401, NO_CREDENTIALS],
  ['GET', '/audits/', 'Key alice', 403, DENIED],
  ['GET', '/audits/', 'Key moderator', 200, {}],
  ['GET', '/audits/', 'Client shop', 401, NO_CREDENTIALS],
  ['GET', '/notices/', 'Client mallory', 200, {}],
  ['POST', '/questions/', '', 401, NO_CREDENTIALS],
  ['POST', '/questions/', 'Key mallory', 401, BAD_KEY],
  ['POST', '/questions/', 'Key alice', 403, DENIED],
  ['POST', '/questions/', 'Key moderator', 200, {}],
  ['POST', '/questions/', 'Client shop', 200, {}],
  ['GET', '/closed/', 'Key mallory', 200, {}],
];

test('the contract decides who may call, and a 401 alone carries the challenge', async (t) => {
  const client = await serveContract(t, CONTRACT, PARTS);

  for (const [method, path, authorization, status, body] of REQUESTS) {
    const answer = await client.request(method, path, { authorization });
    const challenge = answer.headers.get('www-authenticate');
    const row = [method, path, authorization];
    t.deepEqual([...row, answer.status, answer.body], [...row, status, body]);
    t.is(challenge, status === 401 ? 'Key' : null, row.join(' '));
  }
});

test('the challenge is that of the first configured scheme, whatever was tried', async (t) => {
  const client = await serveContract(t, CONTRACT, PARTS, {
    AUTHENTICATION_SCHEMES: 'bearerJWT,tokenAuth',
  });

  const answer = await client.get('/audits/', { authorization: 'Key mallory' });

  t.deepEqual([answer.status, answer.body], [401, BAD_KEY]);
  t.is(answer.headers.get('www-authenticate'), 'Bearer');
});

test('a client that is not known is told how clients log in', async (t) => {
  const client = await serveContract(t, CONTRACT, PARTS);

  const answer = await client.post('/questions/', { authorization: 'Client mallory' });

  t.deepEqual([answer.status, answer.body], [401, { detail: 'Invalid client.' }]);
  t.is(answer.headers.get('www-authenticate'), 'Client');
});

test('a scheme of clients is taken whatever schemes of users are configured', async (t) => {
  const client = await serveContract(t, CONTRACT, PARTS, { AUTHENTICATION_SCHEMES: 'tokenAuth' });

  const answer = await client.post('/questions/', { authorization: 'Client shop' });

  t.deepEqual([answer.status, answer.body], [200, {}]);
});

test('credentials of a scheme that is not configured are as good as none', async (t) => {
  const both = [{ tokenAuth: [] }, { bearerJWT: [] }];
  const audits = operation('listAudits', { security: both, 'x-permissions': ['IsAdminUser'] });
  const parts = { ...PARTS, handlers: { listAudits: done } };
  const settings = { AUTHENTICATION_SCHEMES: 'bearerJWT' };
  const client = await serveContract(
    t,
    contractOf({ '/audits/': { get: audits } }),
    parts,
    settings,
  );

  const answer = await client.get('/audits/', { authorization: 'Key moderator' });

  t.deepEqual([answer.status, answer.body], [401, NO_CREDENTIALS]);
});

test('an illness of our own while authenticating is a 503, never a 401', async (t) => {
  const authenticate = async () => {
    throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  };
  const security = { ...SCHEMES, tokenAuth: { authenticate, challenge: () => 'Key' } };
  const client = await serveContract(t, CONTRACT, { ...PARTS, security });

  const answer = await client.get('/audits/', { authorization: 'Key moderator' });

  t.is(answer.status, 503);
  t.is(answer.headers.get('www-authenticate'), null);
});
