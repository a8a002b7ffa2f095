import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Deps } from '../../src/deps.ts';
import type { Knex } from 'knex';
import { getOrCreateToken } from '../../src/authtoken/tokens.ts';
import { OperatorError } from '../../src/errors.ts';
import { loadData } from '../../src/commands/loaddata.ts';
import { authenticateCredentials } from '../../src/users/authenticate.ts';
import { insertUser } from '../../src/users/repository.ts';
import { testConfig } from '../support/config.ts';
import { createDeps as createRequestDeps } from '../support/deps.ts';
import { startCli } from './cli.ts';

const KEY = '1533153315331533153315331533153315331533';
// Made by Django 5.2 from 'pässwörd-✓ 42'.
const PBKDF2 = 'pbkdf2_sha256$1000$Zk3vQm81Tr5x$vi7kOwwiVb40UBSfniC9iS9ZqYFfJAifmLGX1ikr8zQ=';

const createDeps = (t: ExecutionContext) => createRequestDeps(t, testConfig());

function writeUsers(users: unknown): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'latchkey-load-')), 'users.json');
  writeFileSync(file, JSON.stringify({ about: 'ignored', users }));
  return file;
}

async function problems(t: ExecutionContext, users: unknown, deps: Deps): Promise<string[]> {
  const error = await t.throwsAsync(loadData({ file: writeUsers(users) }, deps), {
    instanceOf: OperatorError,
  });
  return (error?.message ?? '').split('\n  - ').slice(1);
}

async function countOf(table: string, db: Knex): Promise<number> {
  return Number((await db(table).count('* as n'))[0]?.n);
}

const FROM = { ip: '192.0.2.1' };

test('users are loaded with their ids, hashes and tokens, and new ids follow', async (t) => {
  const deps = await createDeps(t);
  const file = writeUsers([
    { id: 7, username: 'alice', password: 'wonderland-42', is_staff: true },
    { id: 9, username: 'ivan', password: 'x', is_active: false, token: KEY },
    { id: 8, username: 'legacy', password_hash: PBKDF2, email: 'l@example.org' },
    { username: 'tokenless', password_hash: '!', no_token: true },
  ]);

  t.is(await loadData({ file }, deps), `Loaded 4 users from ${file}.`);

  const alice = await authenticateCredentials(
    { username: 'alice', password: 'wonderland-42' },
    FROM,
    deps,
  );
  t.like(alice, { id: 7, is_staff: true, is_superuser: false });
  t.is(
    (await authenticateCredentials({ username: 'legacy', password: 'pässwörd-✓ 42' }, FROM, deps))
      ?.id,
    8,
  );
  t.is(await getOrCreateToken(9, deps), KEY);
  t.is(await countOf('authtoken', deps.db), 3);
  t.is((await insertUser({ username: 'next', password: '!' }, deps.db)).id, 10);
});

test('ids never go back to those of deleted users', async (t) => {
  const deps = await createDeps(t);
  const last = await insertUser({ username: 'deleted', password: '!' }, deps.db);
  await deps.db.raw(`SELECT setval(pg_get_serial_sequence('users', 'id'), 50)`);
  await deps.db('users').where({ id: last.id }).delete();

  await loadData({ file: writeUsers([{ id: 5, username: 'early', password_hash: '!' }]) }, deps);

  t.is((await insertUser({ username: 'next', password: '!' }, deps.db)).id, 51);
});

test('a conflict with the database stores nothing, and all conflicts are named', async (t) => {
  const deps = await createDeps(t);
  const first = [{ id: 1, username: 'alice', password_hash: '!', token: KEY }];
  await loadData({ file: writeUsers(first) }, deps);

  const found = await problems(
    t,
    [
      { username: 'fine', password_hash: '!' },
      { username: 'alice', password_hash: '!' },
      { id: 1, username: 'impostor', password_hash: '!' },
      { username: 'thief', password_hash: '!', token: KEY },
    ],
    deps,
  );

  t.deepEqual(found, [
    'users.1 (alice): username: A user with that username already exists.',
    'users.2 (impostor): id: A user with that id already exists.',
    'users.3 (thief): token: it belongs to another user',
  ]);
  t.is(await countOf('users', deps.db), 1);
  t.is(await countOf('authtoken', deps.db), 1);
});

test('what is wrong in the file is named entry by entry', async (t) => {
  const deps = await createDeps(t);

  t.deepEqual(
    await problems(
      t,
      [
        { username: 'two words', password: 'x' },
        { username: 'both', password: 'x', password_hash: '!' },
        { username: 'neither' },
        { username: 'nul', password: 'x\0' },
        { id: 3, username: 'twin', password: 'x', token: KEY, no_token: true },
        { id: 3, username: 'ｔｗｉｎ', password: 'x', token: KEY },
      ],
      deps,
    ),
    [
      'users.0 (two words): username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      'users.1 (both): exactly one of password and password_hash is needed',
      'users.2 (neither): exactly one of password and password_hash is needed',
      'users.3 (nul): password: it holds a null character or half a surrogate pair',
      'users.4 (twin): token and no_token exclude each other',
      'users.5 (ｔｗｉｎ): id is that of users.4 already',
      'users.5 (ｔｗｉｎ): username is that of users.4 already',
      'users.5 (ｔｗｉｎ): token is that of users.4 already',
    ],
  );
  t.deepEqual(
    await problems(
      t,
      [
        { username: 5, password: '', is_stuff: true },
        { id: 2 ** 31, username: 'x', password_hash: 'ü', token: 'short' },
      ],
      deps,
    ),
    [
      'users.0 must NOT have additional properties ("is_stuff")',
      'users.0.username must be string',
      'users.0.password must NOT have fewer than 1 characters',
      'users.1.id must be <= 2147483647',
      'users.1.password_hash must match pattern "^[ -~]*$"',
      'users.1.token must match pattern "^[0-9a-fA-F]{40}$"',
    ],
  );
  t.is(await countOf('users', deps.db), 0);
});

test('more passwords than the queue for hashing holds are hashed in turn', async (t) => {
  const deps = await createDeps(t);
  const users = Array.from({ length: 120 }, (_, index) => ({
    username: `user${index}`,
    password: `password ${index}`,
  }));

  await loadData({ file: writeUsers(users) }, deps);

  t.is(await countOf('users', deps.db), 120);
});

test('a file that cannot be read is one sentence', async (t) => {
  const { cli, directory } = startCli(t);
  const deps = await createDeps(t);
  const broken = path.join(directory, 'broken.json');
  writeFileSync(broken, '{"users": [');
  const latin = path.join(directory, 'latin.json');
  writeFileSync(latin, Buffer.from([0x22, 0xff, 0x22]));
  const absent = path.join(directory, 'absent.json');

  for (const [file, reason] of [
    [broken, 'it is not JSON (SyntaxError: Unexpected end of JSON input)'],
    [latin, 'it is not UTF-8'],
    [absent, 'there is no such file'],
    [directory, 'it is a directory'],
  ] as const)
    await t.throwsAsync(loadData({ file }, deps), {
      instanceOf: OperatorError,
      message: `Cannot read ${file}: ${reason}.`,
    });
  t.deepEqual(await cli(['loaddata', absent]), {
    code: 1,
    stdout: '',
    stderr: `Cannot read ${absent}: there is no such file.\n`,
  });
});
