import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';

const NO_PRODUCTS = { next: null, previous: null, results: [] };

function isRefused(t: ExecutionContext, answer: Answer, detail: string, why: string): void {
  t.is(answer.status, 401, why);
  t.is(answer.headers.get('www-authenticate'), 'Token', why);
  t.deepEqual(answer.body, { detail }, why);
}

// Serial, so that one embedded database runs at a time: each takes 150 MB, and a core to start.
test.serial('a token opens a protected page, with its keyword in any case', async (t) => {
  const app = await startApp(t);
  const { token } = await createUser(app);

  for (const authorization of [
    `Token ${token}`,
    `token ${token}`,
    `TOKEN ${token}`,
    `tOkEn   ${token}`,
    `Token\t${token} `,
  ]) {
    const { status, body } = await app.client.get('/products/', { authorization });
    t.is(status, 200, authorization);
    t.deepEqual(body, NO_PRODUCTS);
  }
});

test.serial('a bad Token header is refused, even where no credentials are needed', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const { access } = await logIn(app, user);

  for (const [value, detail] of [
    ['', 'Invalid token header. No credentials provided.'],
    ['  ', 'Invalid token header. No credentials provided.'],
    ['a b', 'Invalid token header. Token string should not contain spaces.'],
    [`${user.token} x`, 'Invalid token header. Token string should not contain spaces.'],
    ['\u00ff\u00fe', 'Invalid token header. Token string should not contain invalid characters.'],
    ['\u00c3\u00ab', 'Invalid token.'],
    ['x', 'Invalid token.'],
    [user.token.toUpperCase(), 'Invalid token.'],
    [`"${user.token}"`, 'Invalid token.'],
    [user.token.slice(1), 'Invalid token.'],
    [`${user.token}0`, 'Invalid token.'],
    ['0'.repeat(40), 'Invalid token.'],
    [access, 'Invalid token.'],
  ] as const) {
    const authorization = `Token ${value}`;
    isRefused(t, await app.client.get('/products/', { authorization }), detail, value);
    isRefused(t, await app.client.get('/', { authorization }), detail, value);
  }
});

test.serial('another keyword is nobody, and welcome where nobody is', async (t) => {
  const app = await startApp(t);
  const { token } = await createUser(app);

  for (const authorization of [token, `Token:${token}`, `Token,${token}`, `Tokens ${token}`]) {
    const answer = await app.client.get('/products/', { authorization });
    isRefused(t, answer, 'Authentication credentials were not provided.', authorization);
    t.is((await app.client.get('/', { authorization })).status, 200);
  }
});

test.serial('a token is worth nothing once its user is inactive or deleted', async (t) => {
  const app = await startApp(t);
  const { id, token } = await createUser(app);
  const authorization = `Token ${token}`;

  await app.db('users').where({ id }).update({ is_active: false });
  await app.deps.live.catchUp();
  const inactive = await app.client.get('/products/', { authorization });
  await app.db('users').where({ id }).delete();
  await app.deps.live.catchUp();
  const deleted = await app.client.get('/products/', { authorization });

  isRefused(t, inactive, 'User inactive or deleted.', 'inactive');
  isRefused(t, deleted, 'Invalid token.', 'deleted');
});
