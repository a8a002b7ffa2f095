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

  const answer = await client.post('/login/?password=swordfish', {
    authorization: 'Bearer swordfish',
    json: {},
  });
  await client.get('/nowhere/', { headers: { Cookie: 'swordfish', 'User-Agent': 'swordfish' } });
  await client.get('/products/', {
    authorization: `Token ${'0'.repeat(40)}`,
    headers: { 'X-Request-Id': 'gateway-7' },
  });

  const [login, nowhere, failure, failed] = lines.map((line) => JSON.parse(line));
  t.like(login, {
    requestId: answer.headers.get('x-request-id'),
    method: 'POST',
    path: '/login/',
    status: 400,
    operationId: 'login',
    msg: 'request',
  });
  t.like(nowhere, { method: 'GET', path: '/nowhere/', status: 404, operationId: undefined });
  t.true(login.ms >= 0);
  t.like(failure, { requestId: 'gateway-7', msg: 'request failed' });
  t.like(failed, { requestId: 'gateway-7', path: '/products/', status: 503 });
  t.is(lines.length, 4);
  t.notRegex(lines.join(), /swordfish/);
});
