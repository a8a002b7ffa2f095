import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { connect } from '../../src/db.ts';
import type { User } from '../../src/db.ts';
import { findUserByUsername } from '../../src/users/repository.ts';
import { verifyPassword } from '../../src/users/passwords.ts';
import { testConfig } from '../support/config.ts';
import { CLI, startCli } from './cli.ts';

const PASSWORD = 'pässwörd-✓ 42';

async function readUser(dataDir: string, username: string): Promise<User | undefined> {
  const { db, close } = await connect(testConfig({ DATA_DIR: dataDir }));
  try {
    return await findUserByUsername(username, db);
  } finally {
    await close();
  }
}

test('accounts are made, refused and changed from standard input', async (t) => {
  const { cli, env } = startCli(t);
  const dataDir = env.DATA_DIR ?? '';

  const made = await cli(['createuser', ' zoe\u0308 ', '--staff', '--email', 'zoe@Example.ORG'], {
    input: `${PASSWORD}\r\nnot the password\n`,
  });
  t.deepEqual(made, { code: 0, stdout: 'Created user zoë (staff).\n', stderr: '' });
  const user = await readUser(dataDir, 'zoë');
  t.like(user, { email: 'zoe@example.org', is_staff: true, is_superuser: false, is_active: true });
  t.true((await verifyPassword(PASSWORD, user?.password ?? '', { BCRYPT_ROUNDS: 4 })).matches);

  const again = await cli(['createuser', 'zoë'], { input: PASSWORD });
  t.deepEqual(again, {
    code: 1,
    stdout: '',
    stderr: 'username: A user with that username already exists.\n',
  });

  const refused = await cli(['createuser', 'two words', '--email', 'nowhere'], {
    input: 'qwerty\n',
  });
  t.is(refused.code, 1);
  t.is(refused.stdout, '');
  t.regex(refused.stderr, /^username: Enter a valid username\./m);
  t.regex(refused.stderr, /^email: Enter a valid email address\.$/m);
  t.regex(
    refused.stderr,
    /^password: This password is too short\. .* This password is too common\.$/m,
  );
  t.false(refused.stderr.includes('qwerty'));

  const notUtf8 = await cli(['createuser', 'latin'], { input: Buffer.from([0xff, 0xfe, 0x0a]) });
  t.is(notUtf8.code, 1);
  t.is(notUtf8.stderr, 'The password on standard input is not valid UTF-8.\n');

  const changed = await cli(['changepassword', 'zoë'], { input: 'another secret 7\n' });
  t.is(changed.code, 0);
  t.regex(
    changed.stdout,
    /^Changed the password of zoë and ended all of its sessions and its opaque token\./,
  );
  t.false(changed.stdout.includes('another secret 7'));
  const after = await readUser(dataDir, 'zoë');
  t.is(after?.token_version, 1);
  t.true(
    (await verifyPassword('another secret 7', after?.password ?? '', { BCRYPT_ROUNDS: 4 })).matches,
  );

  const nobody = await cli(['changepassword', 'nobody'], { input: PASSWORD });
  t.deepEqual(nobody, {
    code: 1,
    stdout: '',
    stderr: 'Cannot change the password: user nobody does not exist.\n',
  });
});

test('a generated password is printed once, and works', async (t) => {
  const { cli, env } = startCli(t);

  const { code, stdout } = await cli(['createsuperuser', 'root', '--generate'], {
    input: 'ignored',
  });
  t.is(code, 0);
  const [, password = ''] = /^Password: (\S{20,})$/m.exec(stdout) ?? [];
  t.regex(stdout, /^Created user root \(superuser, staff\)\.$/m);
  const root = await readUser(env.DATA_DIR ?? '', 'root');
  t.like(root, { is_staff: true, is_superuser: true });
  t.true((await verifyPassword(password, root?.password ?? '', { BCRYPT_ROUNDS: 4 })).matches);

  const closed = await cli(['changepassword', 'root'], { input: '' });
  const [, second = ''] = /^Password: (\S{20,})$/m.exec(closed.stdout) ?? [];
  t.is(closed.code, 0);
  t.not(second, password);
  t.regex(second, /^\S{20,}$/);
});

test('a token is the same until it is reset', async (t) => {
  const { cli } = startCli(t);
  await cli(['createuser', 'alice', '--inactive'], { input: PASSWORD });

  const first = await cli(['create-token', 'alice']);
  const same = await cli(['drf_create_token', 'alice']);
  const other = await cli(['create-token', 'alice', '--reset']);
  const nobody = await cli(['create-token', 'nobody']);

  t.is(first.code, 0);
  t.regex(first.stdout, /^Generated token [0-9a-f]{40} for user alice\n$/);
  t.deepEqual(same, first);
  t.regex(other.stdout, /^Generated token [0-9a-f]{40} for user alice\n$/);
  t.not(other.stdout, first.stdout);
  t.deepEqual(nobody, {
    code: 1,
    stdout: '',
    stderr: 'Cannot create the token: user nobody does not exist.\n',
  });
});

test('migrations are listed, taken back and applied', async (t) => {
  const { cli } = startCli(t);

  const applied = await cli(['migrate']);
  const nothing = await cli(['migrate']);
  const down = await cli(['migrate', '--down']);
  const status = await cli(['migrate', '--status']);

  t.is(applied.code, 0);
  t.regex(applied.stdout, /^(Applied \d{14}_\w+\.ts\n){5,}$/);
  t.deepEqual(nothing, { code: 0, stdout: 'Nothing to apply.\n', stderr: '' });
  t.regex(down.stdout, /^Took back \d{14}_\w+\.ts\n$/);
  t.regex(status.stdout, /^(\[X\] \d{14}_\w+\.ts\n){4,}\[ \] \d{14}_\w+\.ts\n$/);
});

// `script` of util-linux gives a command a terminal of its own.
const hasTerminals = ((): boolean => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();

(hasTerminals ? test.serial : test.serial.skip)(
  'on a terminal the password is asked twice, and not echoed',
  async (t) => {
    const { env, directory } = startCli(t);
    const typed = 'typed-unseen-7';
    const run = `${process.execPath} ${CLI} createuser typist`;
    const terminal = promisify(execFile)(
      'script',
      ['--quiet', '--return', '--command', run, path.join(directory, 'typescript')],
      { env: { ...env, SHELL: '/bin/sh' } },
    );
    // Each line once its question is there: what is typed before belongs to the terminal, which echoes.
    let shown = '';
    let answered = 0;
    terminal.child.stdout?.on('data', (text: string) => {
      shown += text;
      const questions = shown.match(/Password( \(again\))?: /g)?.length ?? 0;
      for (; answered < questions; answered += 1) terminal.child.stdin?.write(`${typed}\r`);
    });

    const { stdout } = await terminal;

    t.regex(
      stdout,
      /^(?:Making the embedded database [^\n]*\n)?Password: \r\nPassword \(again\): \r\nCreated user typist\.\r\n/,
    );
    t.false(stdout.includes(typed));
    t.truthy(await readUser(env.DATA_DIR ?? '', 'typist'));
  },
);
