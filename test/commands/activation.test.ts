import test from 'ava';
import { activate, deactivate } from '../../src/commands/activation.ts';
import { OperatorError } from '../../src/errors.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { startCli } from './cli.ts';

async function statusesOf(
  { client }: TestApp,
  { username, plain, token }: TestUser,
  refresh: string,
): Promise<object> {
  const json = { username, password: plain };
  return {
    opaque: (await client.get('/products/', { authorization: `Token ${token}` })).status,
    refresh: (await client.post('/refresh_token/', { json: { refresh } })).status,
    login: (await client.post('/login/', { json })).status,
  };
}

test('a deactivated user is kept out; once active again, no old session is', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app, { username: 'alice' });
  const other = await createUser(app, { username: 'bob' });
  const { refresh } = await logIn(app, user);
  const others = await logIn(app, other);

  const said = await deactivate({ name: ' alice ' }, app.deps);
  await app.deps.live.catchUp();

  t.regex(said, /^Deactivated alice and ended all of its sessions\./);
  t.deepEqual(await statusesOf(app, user, refresh), { opaque: 401, refresh: 401, login: 401 });
  t.regex(await activate({ name: 'alice' }, app.deps), /^Activated alice:/);
  await app.deps.live.catchUp();
  t.deepEqual(await statusesOf(app, user, refresh), { opaque: 200, refresh: 401, login: 200 });
  t.like(await app.db('users').where({ id: user.id }).first(), {
    is_active: true,
    token_version: 1,
  });
  t.deepEqual(await statusesOf(app, other, others.refresh), {
    opaque: 200,
    refresh: 200,
    login: 200,
  });
});

test('an activation ends nothing, and either may be repeated', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app, { username: 'alice' });
  const { refresh } = await logIn(app, user);

  await activate({ name: 'alice' }, app.deps);
  t.deepEqual(await statusesOf(app, user, refresh), { opaque: 200, refresh: 200, login: 200 });
  await deactivate({ name: 'alice' }, app.deps);
  await deactivate({ name: 'alice' }, app.deps);
  await app.deps.live.catchUp();
  t.deepEqual(await statusesOf(app, user, refresh), { opaque: 401, refresh: 401, login: 401 });
});

for (const [name, command, message] of [
  ['deactivate', deactivate, 'Cannot deactivate: user nobody does not exist.'],
  ['activate', activate, 'Cannot activate: user nobody does not exist.'],
] as const)
  test(`${name} tells that there is no such user`, async (t) => {
    const app = await startApp(t);

    await t.throwsAsync(command({ name: 'nobody' }, app.deps), {
      instanceOf: OperatorError,
      message,
    });
  });

test('both are commands', async (t) => {
  const { cli } = startCli(t);
  await cli(['createuser', 'alice', '--generate']);

  const off = await cli(['deactivate', 'alice']);
  const on = await cli(['activate', 'alice']);

  t.deepEqual([off.code, off.stderr], [0, '']);
  t.regex(off.stdout, /^Deactivated alice /);
  t.deepEqual([on.code, on.stderr], [0, '']);
  t.regex(on.stdout, /^Activated alice:/);
});
