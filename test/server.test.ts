import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { until } from './support/eventually.ts';
import { startServer } from './support/server-process.ts';

const CLI_FILE = path.join(import.meta.dirname, '../src/cli.ts');
const temporaryDirectory = (): string => mkdtempSync(path.join(os.tmpdir(), 'latchkey-server-'));

// Serial, for each starts processes that take both cores while they make their databases: side by side they
// would starve the tests of other files beyond the second that a connection to a server may take.
test.serial(
  'a fresh start makes a demo user whose curl works, and a restart forgets nothing',
  async (t) => {
    t.timeout(90_000);
    const directory = temporaryDirectory();
    const first = startServer(t, { DATA_DIR: directory, PORT: '0' });
    const greeting = await first.saying(
      /Latchkey is listening at (\S+)[\s\S]*User +(\S+) with password (\S+)[\s\S]*curl/,
    );
    const [, origin = '', username, password] = greeting;
    const token = readFileSync(path.join(directory, 'demo-token'), 'utf8');

    const listed = await fetch(`${origin}/products/`, {
      headers: { Authorization: `Token ${token}` },
    });
    t.is(listed.status, 200);
    const { refresh } = await post(`${origin}/login/`, { username, password });
    t.deepEqual(await post(`${origin}/blacklist_token/`, { refresh }), {});

    const second = startServer(t, { DATA_DIR: directory, PORT: '0' });
    t.is(await second.exit(), 1);
    t.regex(
      second.output(),
      /^The embedded database in \S+ is in use by another process: [^\n]+\n$/,
    );

    first.process.kill('SIGTERM');
    t.is(await first.exit(), 0);
    const third = startServer(t, { DATA_DIR: directory, PORT: '0' });
    const [, again = ''] = await third.saying(/Latchkey is listening at (\S+)/);
    t.deepEqual(await post(`${again}/refresh_token/`, { refresh }), {
      detail: 'Token is blacklisted',
      code: 'token_not_valid',
    });
    t.notRegex(third.output(), /with password/);
  },
);

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;

onLinux('the threads that hash give way to the one that answers', async (t) => {
  const server = startServer(t, { DATA_DIR: temporaryDirectory(), PORT: '0' });
  await server.saying(/Latchkey is listening/);

  const tasks = `/proc/${server.process.pid}/task`;
  const threads = readdirSync(tasks).map((thread) => ({
    name: readFileSync(`${tasks}/${thread}/comm`, 'utf8').trim(),
    niceness: os.getPriority(Number(thread)),
  }));
  const nicenessOf = (wanted: string): number[] => [
    ...new Set(threads.filter(({ name }) => name === wanted).map(({ niceness }) => niceness)),
  ];

  const [ours = 0, ...others] = nicenessOf('MainThread');
  t.deepEqual([others, nicenessOf('libuv-worker')], [[], [ours + 10]]);
});

test.serial('a bad configuration ends the start with all problems and exit code 78', async (t) => {
  const { exit, output } = startServer(t, {
    NODE_ENV: 'production',
    PORT: '70000',
    ACCESS_TOKEN_LIFETIME: 'soon',
    SECRET_KEY: 'changeme',
  });

  t.is(await exit(), 78);
  t.regex(output(), /PORT must be an integer/);
  t.regex(output(), /ACCESS_TOKEN_LIFETIME must be seconds/);
  t.regex(output(), /SECRET_KEY is a well-known value/);
  t.regex(output(), /SIGNING_KEY is missing/);
  t.notRegex(output(), /changeme/);
});

test.serial('production refuses to make secrets of its own, naming each', async (t) => {
  const { exit, output } = startServer(t, { NODE_ENV: 'production', SECRET_KEY: 'changeme' });

  t.is(await exit(), 78);
  t.is(
    output(),
    'Configuration problems:\n' +
      '  - SECRET_KEY is a well-known value: production needs a strong one\n' +
      '  - SIGNING_KEY is missing: production makes no secrets of its own\n',
  );
});

test.serial('production logs one JSON line at the start and makes no demo user', async (t) => {
  t.timeout(60_000);
  const server = startServer(t, {
    NODE_ENV: 'production',
    DATA_DIR: temporaryDirectory(),
    PORT: '0',
    SECRET_KEY: 'Vq2w8nSxkR7yTz4mJb6cHd9fLg3pQe5u',
    SIGNING_KEY: 'mB7xWc2vZn5kLs8jHq4gTf9dRp6yUe3a',
  });

  const [line] = await server.saying(/\{.*"msg":"listening"\}\n/);

  const { origin, database, msg } = JSON.parse(line);
  t.deepEqual({ msg, isOrigin: URL.canParse(origin) }, { msg: 'listening', isOrigin: true });
  t.regex(database, /^embedded PostgreSQL in /);
  t.is(server.output(), line);
});

test.serial('a stop lets a running request finish, and sends its connection away', async (t) => {
  t.timeout(60_000);
  const server = startServer(t, { DATA_DIR: temporaryDirectory(), PORT: '0' });
  const [, origin = '', username, password] = await server.saying(
    /listening at (\S+)[\s\S]*User +(\S+) with password (\S+)[\s\S]*curl/,
  );
  const { hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const form = new URLSearchParams({ username: username ?? '', password: password ?? '' });
  const running = new Promise<IncomingMessage>((resolve, reject) => {
    request({ hostname, port, method: 'POST', path: '/login/', agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response));
    })
      .setHeader('Content-Type', 'application/x-www-form-urlencoded')
      .on('error', reject)
      // A hash of twelve rounds takes long enough for the signal to come in between.
      .on('finish', () => setTimeout(() => server.process.kill('SIGTERM'), 20))
      .end(form.toString());
  });

  const { statusCode, headers } = await running;
  t.is(statusCode, 200);
  t.is(headers.connection, 'close');
  t.is(await server.exit(), 0);
});

test.serial('what an operator can mend is told in a sentence, without a stack', async (t) => {
  const cases: [settings: Record<string, string>, sentence: RegExp][] = [
    [
      { DATABASE_URL: 'postgres://x:y@127.0.0.1:1/db' },
      /^Cannot use the database \(PostgreSQL at 127\.0\.0\.1:1\/db\): connect ECONNREFUSED 127\.0\.0\.1:1\.\n$/,
    ],
    [{ DATA_DIR: '/dev/null' }, /^Configuration problems:\n  - DATA_DIR is no directory[^\n]*\n$/],
  ];
  for (const [settings, sentence] of cases) {
    const server = startServer(t, { DATA_DIR: temporaryDirectory(), PORT: '0', ...settings });

    t.not(await server.exit(), 0);
    t.regex(server.output(), sentence);
    t.notRegex(server.output(), /x:y|\n +at /);
  }
});

test.serial('a start that cannot make its demo user ends, and serves nobody', async (t) => {
  t.timeout(60_000);
  const directory = temporaryDirectory();
  mkdirSync(path.join(directory, 'demo-password'));

  const server = startServer(t, { DATA_DIR: directory, PORT: '0' });

  t.is(await server.exit(), 1);
  t.regex(server.output(), /EISDIR/);
});

test.serial(
  'the signing key is replaced while the service runs, which needs no SIGNING_KEY',
  async (t) => {
    t.timeout(60_000);
    const KEYS_DIR = path.join(temporaryDirectory(), 'keys');
    const keys = (...args: string[]): string =>
      execFileSync(process.execPath, [CLI_FILE, 'keys', ...args], {
        env: { PATH: process.env.PATH, KEYS_DIR },
        encoding: 'utf8',
      });
    keys('add');
    keys('promote', '--force');
    const server = startServer(t, {
      NODE_ENV: 'production',
      DATA_DIR: temporaryDirectory(),
      PORT: '0',
      SECRET_KEY: 'Vq2w8nSxkR7yTz4mJb6cHd9fLg3pQe5u',
      KEYS_DIR,
    });
    const [, origin = ''] = await server.saying(/"origin":"([^"]+)"/);
    const [, former = ''] = await server.saying(/"kid":"([^"]+)"[^\n]*"msg":"signing keys read"/);
    const published = async (): Promise<string[]> => {
      const response = await fetch(`${origin}/.well-known/jwks.json`);
      const { keys: jwks } = (await response.json()) as { keys: { kid: string }[] }; // compared below
      return jwks.map((jwk) => jwk.kid);
    };
    t.deepEqual(await published(), [former]);

    const [, kid = ''] = /^Added (\S+)/.exec(keys('add', '--algorithm', 'RS256')) ?? [];
    await until(async () => (await published()).length === 2);
    keys('promote', '--force');
    await server.saying(new RegExp(`"kid":"${kid}","algorithm":"RS256","msg":"signing keys read"`));
    keys('retire', former, '--force');
    await until(async () => (await published()).length === 1);

    t.deepEqual(await published(), [kid]);
    t.is((await fetch(`${origin}/readyz`)).status, 200);
    server.process.kill('SIGTERM');
    t.is(await server.exit(), 0);
  },
);

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>; // compared as a whole by the caller
}
