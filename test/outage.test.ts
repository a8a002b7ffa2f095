import test from 'ava';
import { startApp } from './support/app.ts';
import { connectTo, createServerDatabase, SERVER } from './support/database.ts';
import { createUser, logIn } from './support/factories.ts';
import { startProxy } from './support/proxy.ts';

const onServer = SERVER === undefined ? test.skip : test;

onServer(
  'while the database is away callers get a 503 with Retry-After, and service again when it is back',
  async (t) => {
    const { url, cut, restore } = await startProxy(t, await createServerDatabase(t, SERVER ?? ''));
    const app = await startApp(t, {}, { db: await connectTo(t, url, { connectTimeout: 1000 }) });
    const user = await createUser(app);
    const { access } = await logIn(app, user);
    const authorization = `Bearer ${access}`;

    cut();

    const start = process.hrtime.bigint();
    const answer = await app.client.get('/products/', { authorization });
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    t.is(answer.status, 503);
    t.is(answer.headers.get('retry-after'), '1');
    t.deepEqual(answer.body, { detail: 'Service temporarily unavailable, try again later.' });
    // A bound of the design, not of this machine: pool and connection wait a second at the most.
    t.true(ms < 3000);
    t.is((await app.client.get('/')).status, 200, 'what needs no database is still answered');
    t.is((await app.client.get('/readyz')).status, 503);
    t.is((await app.client.get('/healthz')).status, 200);

    await restore();
    await app.deps.live.catchUp();

    t.is((await app.client.get('/products/', { authorization })).status, 200);
    t.is((await app.client.get('/readyz')).status, 200);
  },
);

onServer(
  'a database that hears and says nothing any more is told from one that is slow',
  async (t) => {
    const { url, freeze } = await startProxy(t, await createServerDatabase(t, SERVER ?? ''));
    const app = await startApp(t, {}, { db: await connectTo(t, url, { connectTimeout: 1000 }) });
    const { token } = await createUser(app);

    freeze();

    const start = process.hrtime.bigint();
    const answer = await app.client.get('/products/', { authorization: `Token ${token}` });
    t.is(answer.status, 503);
    t.true(Number(process.hrtime.bigint() - start) / 1e6 < 10_000, 'it does not wait for ever');
  },
);
