import { Writable } from 'node:stream';
import test from 'ava';
import pino from 'pino';
import { createApp } from '../../src/app.ts';
import { createClient } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import { createDeps } from '../support/deps.ts';
import { databaseAway, listen } from './shell.ts';

test('a request is one line of the log, without what may hold a credential', async (t) => {
  const lines: string[] = [];
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    lines.push(chunk.toString());
    done();
  };
  const deps = await createDeps(t, testConfig(), { db: await databaseAway(t) });
  const { koa } = await createApp(deps, pino({ base: null }, new Writable({ write })));
  const client = createClient(t, await listen(t, koa.callback()));

  await client.post('/login/?password=swordfish', { authorization: 'Bearer swordfish', json: {} });
  await client.get('/nowhere/', { headers: { Cookie: 'swordfish', 'User-Agent': 'swordfish' } });

  const [login, nowhere] = lines.map((line) => JSON.parse(line));
  t.like(login, {
    method: 'POST',
    path: '/login/',
    status: 400,
    operationId: 'login',
    msg: 'request',
  });
  t.like(nowhere, { method: 'GET', path: '/nowhere/', status: 404, operationId: undefined });
  t.true(login.ms >= 0);
  t.is(lines.length, 2);
  t.notRegex(lines.join(), /swordfish/);
});
