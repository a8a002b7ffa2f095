import test from 'ava';
import { createApp } from '../../src/app.ts';
import { createLog } from '../../src/log.ts';
import { createClient } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import { createDeps } from '../support/deps.ts';
import { startApp } from '../support/app.ts';
import { listen, startWithoutDatabase } from './shell.ts';

const UNAVAILABLE = { detail: 'Service temporarily unavailable, try again later.' };

test('with a database that is up to date the service is alive and ready', async (t) => {
  const { client } = await startApp(t);

  const alive = await client.get('/healthz');
  const ready = await client.get('/readyz');

  t.deepEqual([alive.status, alive.body], [200, { status: 'ok' }]);
  t.deepEqual([ready.status, ready.body], [200, { status: 'ok' }]);
});

test('while a migration is pending the service is alive, not ready, and tells nobody why', async (t) => {
  const { client, db } = await startApp(t);
  const newest = db('migrations').max('id');
  await db('migrations').where('id', newest).delete();

  const ready = await client.get('/readyz');

  t.deepEqual([ready.status, ready.body], [503, UNAVAILABLE]);
  t.is(ready.headers.get('retry-after'), '1');
  t.is((await client.get('/healthz')).status, 200);
});

test('while the database is away the service is alive and not ready', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const ready = await client.get('/readyz');

  t.deepEqual([ready.status, ready.body], [503, UNAVAILABLE]);
  t.is((await client.get('/healthz')).status, 200);
});

test('once it is stopping the service is alive and not ready', async (t) => {
  const config = testConfig();
  const deps = await createDeps(t, config);
  const { koa, stopping } = await createApp(deps, createLog(config));
  const client = createClient(t, await listen(t, koa.callback()));
  t.is((await client.get('/readyz')).status, 200);

  stopping();

  const ready = await client.get('/readyz');
  t.deepEqual([ready.status, ready.body], [503, UNAVAILABLE]);
  t.is((await client.get('/healthz')).status, 200);
});

test('health needs no credentials, takes bad ones, and is no path of the contract', async (t) => {
  const { client } = await startWithoutDatabase(t);

  const answer = await client.get('/healthz', { authorization: 'Token' });

  t.is(answer.status, 200);
  t.is(answer.headers.get('allow'), null);
  t.is((await client.post('/healthz')).status, 404);
});
