import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { startCli } from './cli.ts';

const COMMANDS = [
  'migrate',
  'createuser',
  'createsuperuser',
  'changepassword',
  'deactivate',
  'activate',
  'create-token',
  'drf_create_token',
  'flush-expired-tokens',
  'flushexpiredtokens',
  'loaddata',
  'seed',
  'keys',
];

test('every command explains itself', async (t) => {
  const { cli } = startCli(t);

  const overview = await cli(['--help']);
  const pages = await Promise.all(COMMANDS.map((command) => cli([command, '--help'])));

  t.is(overview.code, 0);
  for (const [index, command] of COMMANDS.entries()) {
    t.true(overview.stdout.includes(command), command);
    t.is(pages[index]?.code, 0, command);
    t.regex(pages[index]?.stdout ?? '', /^Usage: latchkey /, command);
  }
});

for (const [args, sentence] of [
  [['frobnicate'], "error: unknown command 'frobnicate'"],
  [['createuser'], "error: missing required argument 'name'"],
  [['createuser', 'alice', 'bob'], 'error: too many arguments'],
  [['createuser', 'alice', '--password', 'x'], "error: unknown option '--password'"],
  [['deactivate'], "error: missing required argument 'name'"],
  [['activate', 'alice', 'bob'], 'error: too many arguments'],
  [['migrate', '--up'], "error: unknown option '--up'"],
  [['migrate', '--up', '--status'], "error: unknown option '--up'"],
  [['migrate', '--down', '--status'], 'error: --down and --status exclude each other'],
  [['seed'], "error: required option '--products <number>' not specified"],
  [['seed', '--products', '0'], 'It must be a number from 1 to 10000000.'],
  [['seed', '--products', '10000001'], 'It must be a number from 1 to 10000000.'],
  [['seed', '--products', '1e3'], 'It must be a number from 1 to 10000000.'],
] as const) {
  test(`\`${args.join(' ')}\` is wrong usage, and touches nothing`, async (t) => {
    const { cli, env } = startCli(t);

    const { code, stdout, stderr } = await cli([...args]);

    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(sentence), stderr);
    t.false(existsSync(path.join(env.DATA_DIR ?? '', 'pgdata')));
  });
}

test('no command at all is wrong usage, and lists the commands', async (t) => {
  const { code, stderr } = await startCli(t).cli([]);

  t.is(code, 2);
  t.regex(stderr, /^Usage: latchkey /);
});

test('wrong settings are listed together', async (t) => {
  const { code, stderr } = await startCli(t).cli(['migrate'], {
    env: { PORT: 'high', ALGORITHM: 'none' },
  });

  t.is(code, 78);
  t.regex(stderr, /PORT .*\n.*ALGORITHM /);
});

test('a database that is away is one sentence without its password', async (t) => {
  const { code, stderr } = await startCli(t).cli(['create-token', 'alice'], {
    env: { DATABASE_URL: 'postgres://latchkey:hush-hush@127.0.0.1:1/latchkey' },
  });

  t.is(code, 1);
  t.regex(
    stderr,
    /Cannot use the database \(PostgreSQL at 127\.0\.0\.1:1\/latchkey\): .*ECONNREFUSED.*\.\n$/,
  );
  t.false(stderr.includes('hush-hush'));
});
