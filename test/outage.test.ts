import net from 'node:net';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { connect } from '../src/db.ts';
import { startApp } from './support/app.ts';
import { testConfig } from './support/config.ts';
import { createServerDatabase, SERVER } from './support/database.ts';
import { createUser, logIn } from './support/factories.ts';

const onServer = SERVER === undefined ? test.skip : test;

onServer(
  'while the database is away callers get a 503 with Retry-After, and service again when it is back',
  async (t) => {
    const { url, cut, restore } = await startProxy(t, await createServerDatabase(t, SERVER ?? ''));
    const { db, close } = await connect(testConfig({ DATABASE_URL: url }));
    t.teardown(close);
    const app = await startApp(t, {}, { db });
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

    t.is((await app.client.get('/products/', { authorization })).status, 200);
    t.is((await app.client.get('/readyz')).status, 200);
  },
);

onServer(
  'a database that hears and says nothing any more is told from one that is slow',
  async (t) => {
    const { url, freeze } = await startProxy(t, await createServerDatabase(t, SERVER ?? ''));
    const { db, close } = await connect(testConfig({ DATABASE_URL: url }));
    t.teardown(close);
    const app = await startApp(t, {}, { db });
    const { token } = await createUser(app);

    freeze();

    const start = process.hrtime.bigint();
    const answer = await app.client.get('/products/', { authorization: `Token ${token}` });
    t.is(answer.status, 503);
    t.true(Number(process.hrtime.bigint() - start) / 1e6 < 10_000, 'it does not wait for ever');
  },
);

interface Proxy {
  url: string;
  /** Keeps all connections, and passes nothing on. */
  freeze: () => void;
  cut: () => void;
  restore: () => Promise<void>;
}

/** A TCP proxy before the database server that can be cut, as a network or a server is. */
async function startProxy(t: ExecutionContext, database: string): Promise<Proxy> {
  const target = new URL(database);
  const sockets = new Set<net.Socket>();
  const listener = net.createServer((socket) => {
    const upstream = net.connect(Number(target.port || 5432), target.hostname);
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.on('error', () => one.destroy()).on('close', () => sockets.delete(one));
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo; // a TCP socket that listens
  const freeze = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const cut = (): void => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(cut);
  const proxied = new URL(target);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(port);
  const restore = async (): Promise<void> => {
    await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  };
  return { url: proxied.href, freeze, cut, restore };
}
