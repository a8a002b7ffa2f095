import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { divided, workerCount } from '../src/primary.ts';
import { freePort } from './bench/processes.ts';
import { createServerDatabase, SERVER } from './support/database.ts';
import { until } from './support/eventually.ts';
import { startServer } from './support/server-process.ts';
import type { ServerProcess } from './support/server-process.ts';

const onServer = SERVER === undefined ? test.skip : test.serial;

const SECRETS = {
  SECRET_KEY: 'Vq2w8nSxkR7yTz4mJb6cHd9fLg3pQe5u',
  SIGNING_KEY: 'mB7xWc2vZn5kLs8jHq4gTf9dRp6yUe3a',
};
const PRODUCTION = { NODE_ENV: 'production', PORT: '0', ...SECRETS };

for (const [total, parts, shares] of [
  [10, 1, [10]],
  [10, 4, [3, 3, 2, 2]],
  [2, 2, [1, 1]],
  [2, 3, [1, 1, 1]],
] as const)
  test(`${total} for ${parts} workers are ${shares.join(', ')}`, (t) => {
    t.deepEqual(divided(total, parts), [...shares]);
  });

test('auto is a worker for each core, as far as there are connections, and one on the embedded database', (t) => {
  const settings = { DATABASE_URL: 'postgres://host/name', DATABASE_POOL_SIZE: 10 };

  t.is(workerCount({ ...settings, WORKERS: 'auto' }, 4), 4);
  t.is(workerCount({ ...settings, WORKERS: 'auto' }, 16), 10);
  t.is(workerCount({ ...settings, WORKERS: 'auto', DATABASE_URL: undefined }, 4), 1);
  t.is(workerCount({ ...settings, WORKERS: 3 }, 1), 3);
});

test.serial(
  'several workers on the embedded database are refused before it is touched',
  async (t) => {
    const DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'latchkey-workers-'));
    const server = startServer(t, { WORKERS: '2', PORT: '0', DATA_DIR });

    t.is(await server.exit(), 78);
    t.is(
      server.output(),
      'Configuration problems:\n' +
        '  - WORKERS is 2, and the embedded database is for one process: set DATABASE_URL to a PostgreSQL server\n',
    );
    t.false(existsSync(path.join(DATA_DIR, 'lock')));
  },
);

onServer('METRICS_PORT serves the metrics of all workers together', async (t) => {
  const port = await freePort();
  const { origin } = await startWorkers(t, { WORKERS: '2', METRICS_PORT: String(port) });
  for (let time = 0; time < 6; time += 1)
    await fetch(`${origin}/.well-known/jwks.json`, { headers: { Connection: 'close' } });

  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

  t.regex(text, /_seconds_count\{operation="getJwks",status="200"\} 6$/m);
  t.is((await fetch(`${origin}/healthz`)).status, 200);
});

onServer('workers share one port and say once that they listen', async (t) => {
  const { origin, server, pids } = await startWorkers(t, { WORKERS: '3' });

  const asked = Array.from({ length: 6 }, () =>
    fetch(`${origin}/readyz`, { headers: { Connection: 'close' } }),
  );
  t.deepEqual(
    (await Promise.all(asked)).map(({ status }) => status),
    Array<number>(6).fill(200),
  );
  await until(() => [1, 2, 3].every((worker) => server.output().includes(`"worker":${worker}`)));
  t.is(server.output().match(/"msg":"listening"/g)?.length, 1);
  t.regex(server.output(), /"workers":3,"msg":"listening"/);
  t.is(pids().length, 3);
});

onServer(
  'secrets, from files too, reach the workers by neither environment nor arguments',
  async (t) => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-workers-'));
    const file = path.join(directory, 'signing-key');
    writeFileSync(file, SECRETS.SIGNING_KEY);
    const { origin, pids, url } = await startWorkers(t, {
      SIGNING_KEY: '',
      SIGNING_KEY_FILE: file,
    });

    t.is((await fetch(`${origin}/readyz`)).status, 200);
    for (const pid of pids())
      for (const name of ['environ', 'cmdline']) {
        const text = readFileSync(`/proc/${pid}/${name}`, 'utf8');
        t.true(text.length > 0);
        for (const secret of [SECRETS.SECRET_KEY, SECRETS.SIGNING_KEY, url])
          t.false(text.includes(secret), `${name} holds a secret`);
      }
  },
);

onServer('all workers together hold no more connections than DATABASE_POOL_SIZE', async (t) => {
  const { origin, url, server } = await startWorkers(t, { DATABASE_POOL_SIZE: '3' });
  const admin = new pg.Client(url);
  await admin.connect();
  t.teardown(() => admin.end());

  const asked = Array.from({ length: 60 }, () => fetch(`${origin}/readyz`));
  t.true((await Promise.all(asked)).every(({ status }) => status === 200));

  const { rows } = await admin.query(
    `SELECT count(*)::int AS held FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'latchkey'`,
  );
  t.is(rows[0].held, 3);
  server.process.kill('SIGTERM');
  t.is(await server.exit(), 0);
});

onServer('a worker that was killed is replaced, and the others serve meanwhile', async (t) => {
  const { origin, server, pids } = await startWorkers(t);
  const [killed = 0, other] = pids();

  process.kill(killed, 'SIGKILL');
  await server.saying(/"signal":"SIGKILL"[^\n]*"msg":"a worker left and is replaced"/);
  t.is((await fetch(`${origin}/readyz`)).status, 200);
  await until(() => pids().length === 2);

  t.true(pids().includes(other ?? 0));
  t.false(pids().includes(killed));
  t.is(server.output().match(/"msg":"listening"/g)?.length, 1);
});

onServer(
  'workers that cannot start end the service with the sentence of one of them',
  async (t) => {
    const server = startServer(t, {
      ...PRODUCTION,
      WORKERS: '2',
      DATABASE_URL: 'postgres://x:y@127.0.0.1:1/db',
    });

    t.is(await server.exit(), 1);
    t.is(
      server.output(),
      'Cannot use the database (PostgreSQL at 127.0.0.1:1/db): connect ECONNREFUSED 127.0.0.1:1.\n',
    );
  },
);

onServer('a port that is taken ends all workers, and is told once', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as net.AddressInfo; // a TCP socket that listens
  const server = startServer(t, {
    ...PRODUCTION,
    WORKERS: '2',
    PORT: String(port),
    DATABASE_URL: await createServerDatabase(t, SERVER ?? ''),
  });

  t.is(await server.exit(), 1);
  t.is(
    server.output(),
    'The port is taken: stop the other process, or set PORT (for metrics METRICS_PORT) to another one.\n',
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  onServer(`${signal} lets all workers finish what runs, and leaves with 0`, async (t) => {
    const { origin, server, pids } = await startWorkers(t);
    const requests = await Promise.all([openRequest(t, origin), openRequest(t, origin)]);
    const left = pids();

    // A terminal and a supervisor send it to the workers as well.
    for (const pid of [...left, server.process.pid ?? 0]) process.kill(pid, signal);
    await server.saying(/"msg":"stopping"/);
    await refusesConnections(origin);
    const answers = await Promise.all(requests.map(({ finish }) => finish()));

    for (const answer of answers)
      t.regex(answer, /^HTTP\/1\.1 401 [\s\S]*\r\nConnection: close\r\n/);
    t.is(await server.exit(), 0);
    t.deepEqual(left.filter(isRunning), []);
  });

onServer('a second signal leaves at once, with all workers', async (t) => {
  const { origin, server, pids } = await startWorkers(t);
  await openRequest(t, origin);
  const left = pids();

  server.process.kill('SIGTERM');
  await server.saying(/"msg":"stopping"/);
  server.process.kill('SIGTERM');

  t.is(await server.exit(), 1);
  await until(() => !left.some(isRunning));
  t.pass();
});

onServer('no worker outlives its primary, however that one ended', async (t) => {
  const { origin, server, pids } = await startWorkers(t);
  const left = pids();

  server.process.kill('SIGKILL');

  await until(() => !left.some(isRunning));
  await t.throwsAsync(fetch(`${origin}/healthz`));
});

interface Workers {
  origin: string;
  url: string;
  server: ServerProcess;
  /** Of the workers that run. */
  pids: () => number[];
}

async function startWorkers(
  t: ExecutionContext,
  settings: Record<string, string> = {},
): Promise<Workers> {
  t.timeout(60_000);
  const url = await createServerDatabase(t, SERVER ?? '');
  const server = startServer(t, { ...PRODUCTION, WORKERS: '2', DATABASE_URL: url, ...settings });
  const [, origin = ''] = await server.saying(/"origin":"([^"]+)"/);
  const { pid } = server.process;
  const pids = (): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return { origin, url, server, pids };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function refusesConnections(origin: string): Promise<void> {
  await until(() =>
    fetch(`${origin}/healthz`).then(
      () => false,
      () => true,
    ),
  );
}

/** A request whose body is not there yet, so that it runs until `finish`; the answer. */
async function openRequest(
  t: ExecutionContext,
  origin: string,
): Promise<{ finish: () => Promise<string> }> {
  const { hostname, port } = new URL(origin);
  const socket = net.connect(Number(port), hostname).on('error', () => {});
  t.teardown(() => socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  const body = JSON.stringify({ token: 'not one' });
  socket.write(
    `POST /verify_token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  // It was read.
  await until(() => answer.includes('100 Continue\r\n\r\n'));
  answer = '';
  return {
    finish: async () => {
      socket.write(body);
      await once(socket, 'close');
      return answer;
    },
  };
}
