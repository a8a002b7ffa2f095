import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createAccount } from '../src/accounts/accounts.ts';
import { hashPassword } from '../src/users/passwords.ts';
import { freePort } from './bench/processes.ts';
import { testConfig } from './support/config.ts';
import { connectTo, createServerDatabase, SERVER } from './support/database.ts';
import { until } from './support/eventually.ts';
import { startServer } from './support/server-process.ts';

const BINARY = '/usr/sbin/pgbouncer';
const withPooler = SERVER !== undefined && existsSync(BINARY) ? test : test.skip;

const SECRETS = {
  SECRET_KEY: 'Vq2w8nSxkR7yTz4mJb6cHd9fLg3pQe5u',
  SIGNING_KEY: 'mB7xWc2vZn5kLs8jHq4gTf9dRp6yUe3a',
};

/** PgBouncer in transaction mode with two connections to the server; the URL of the database through it. */
async function startPooler(t: ExecutionContext, direct: string): Promise<string> {
  const { hostname, port, username, pathname } = new URL(direct);
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-pgbouncer-'));
  const listening = await freePort();
  const file = path.join(directory, 'pgbouncer.ini');
  writeFileSync(
    file,
    [
      '[databases]',
      `* = host=${hostname} port=${port} user=${username}`,
      '[pgbouncer]',
      'pool_mode = transaction',
      'default_pool_size = 2',
      'listen_addr = 127.0.0.1',
      `listen_port = ${listening}`,
      'unix_socket_dir =',
      'auth_type = any',
      'ignore_startup_parameters = extra_float_digits',
    ].join('\n'),
  );
  // It refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres']).toString());
  const as = isRoot ? { uid: id('-u'), gid: id('-g') } : {};
  if (as.uid !== undefined) chownSync(directory, as.uid, as.gid);
  const child = spawn(BINARY, [file], { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(() => output.includes('process up'));
  return `postgres://${username}@127.0.0.1:${listening}${pathname}`;
}

withPooler(
  'behind a pooler in transaction mode all works, and a revocation is heard of at once',
  async (t) => {
    t.timeout(60_000);
    const direct = await createServerDatabase(t, SERVER ?? '');
    const db = await connectTo(t, direct);
    const config = testConfig();
    const password = await hashPassword('correct horse 9', config);
    await createAccount({ username: 'alice', password }, { config, db, now: () => new Date() });
    const settings = {
      ...SECRETS,
      NODE_ENV: 'production',
      PORT: '0',
      ROTATE_REFRESH_TOKENS: 'true',
    };
    const urls = { DATABASE_URL: await startPooler(t, direct), DATABASE_DIRECT_URL: direct };
    const server = startServer(t, { ...settings, ...urls });
    const [, origin = ''] = await server.saying(/"origin":"([^"]+)"/);
    const post = (where: string, json: object) =>
      fetch(origin + where, {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'Content-Type': 'application/json' },
      });
    const logIn = async () => {
      const answer = await post('/login/', { username: 'alice', password: 'correct horse 9' });
      return (await answer.json()) as { access: string; refresh: string };
    };
    const read = ({ access }: { access: string }, where = '/products/') =>
      fetch(origin + where, { headers: { Authorization: `Bearer ${access}` } });

    const session = await logIn();
    // More at a time than there are connections, so that each statement meets several of them.
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        index % 2 === 0
          ? read(session, index % 4 === 0 ? '/products/' : '/auth/sessions/')
          : post('/refresh_token/', { refresh: session.refresh }),
      ),
    );

    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const other = await logIn();
    t.is((await read(other)).status, 200);
    t.is((await post('/blacklist_token/', { refresh: other.refresh })).status, 200);
    t.is((await read(other)).status, 401);
    t.is((await fetch(`${origin}/readyz`)).status, 200);
  },
);
