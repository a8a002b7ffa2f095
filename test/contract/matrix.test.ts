import test from 'ava';
import { contractDocument } from '../../src/contract.ts';
import { startApp } from '../support/app.ts';
import { CLIENT_SECRET } from './matrix/callers.ts';
import type { Operation } from './matrix/operations.ts';
import { runMatrix } from './matrix/run.ts';

const SETTINGS = { INTROSPECTION_CLIENT_SECRET: CLIENT_SECRET };
const OPEN = { REGISTRATION: true };

test('every operation lets in whom the contract lets in, and nobody else', async (t) => {
  const app = await startApp(t, SETTINGS);

  const { operations, cases, wrong } = await runMatrix(app, contractDocument(), OPEN);

  t.deepEqual(wrong, []);
  const counts = Object.values(cases);
  const total = counts.reduce((sum, count) => sum + count, 0);
  t.true(total > operations * 15 && counts.length === 3);
  t.log(`authorization matrix: ${operations} operations, ${total} cases ${JSON.stringify(cases)}`);
});

test('where registration is closed, nobody makes an account', async (t) => {
  const app = await startApp(t, { ...SETTINGS, REGISTRATION: false });
  const asksForIt = ({ permissions }: Operation): boolean =>
    permissions.includes('IsRegistrationOpen');

  const { cases, wrong } = await runMatrix(
    app,
    contractDocument(),
    { REGISTRATION: false },
    asksForIt,
  );

  t.deepEqual(wrong, []);
  t.deepEqual(Object.keys(cases), ['403']);
});

interface Lie {
  what: string;
  path: string;
  method: string;
  fields: object;
  wrong: string[];
}

const byUsers = (names: string[], outcome: string): string[] =>
  ['tokenAuth', 'bearerJWT'].flatMap((scheme) =>
    names.map((name) => `${name} by ${scheme}: ${outcome}`),
  );

const LIES: Lie[] = [
  {
    what: 'that only staff may read the products',
    path: '/products/',
    method: 'get',
    fields: { 'x-permissions': ['IsAdminUser'] },
    wrong: byUsers(['other user', 'owner', 'superuser'], '200, not 403'),
  },
  {
    what: 'that everybody may delete a product',
    path: '/products/{id}/',
    method: 'delete',
    fields: { 'x-permissions': ['IsAuthenticated'] },
    wrong: byUsers(['other user', 'superuser'], '403, not pass'),
  },
  {
    what: 'that anybody may read an account, and that JSON Web Tokens are not looked at',
    path: '/auth/users/me/',
    method: 'get',
    fields: { security: [{}, { tokenAuth: [] }], 'x-permissions': ['AllowAny'] },
    wrong: [
      'anonymous: 401, not pass',
      ...['bad token', 'expired', 'revoked', 'inactive'].map((name) => {
        return `${name} by bearerJWT: 401, not pass`;
      }),
      ...['bad token', 'client'].map((name) => `${name} by clientBasic: 401, not pass`),
    ],
  },
  {
    what: 'that services may not ask about tokens',
    path: '/auth/introspect/',
    method: 'post',
    fields: { security: [{ tokenAuth: [] }, { bearerJWT: [] }] },
    wrong: ['client by clientBasic: 200, not 401'],
  },
];

for (const { what, path, method, fields, wrong } of LIES)
  test(`the matrix finds out a contract which says ${what}`, async (t) => {
    const app = await startApp(t, SETTINGS);
    const lying = structuredClone(contractDocument()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const operation = Object.assign(lying.paths[path]?.[method] ?? {}, fields);
    const { operationId } = operation as { operationId: string };

    const outcome = await runMatrix(app, lying, OPEN, ({ id }) => id === operationId);

    t.deepEqual(
      outcome.wrong,
      wrong.map((line) => `${operationId}, ${line}`),
    );
  });
