import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { addKey, listKeys, promoteKey, retireKey } from '../../src/commands/keys.ts';
import type { AddOptions } from '../../src/commands/keys.ts';
import { OperatorError } from '../../src/errors.ts';
import { lockFile } from '../../src/file-lock.ts';
import { readEntries, readKeys } from '../../src/key-directory.ts';
import { thumbprint } from '../../src/secrets.ts';
import { add, addCurrent, DAY, keyDeps, statesIn, temporaryDirectory } from '../support/keys.ts';
import { startCli } from './cli.ts';

const STRONG = 'kP3vN8xQ2mW7rT5yB9cF4hJ6dL1sG0zA';

const pem = ({ privateKey }: ReturnType<typeof rsa>): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = ({ publicKey }: ReturnType<typeof rsa>): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

test('from the first key to the second: added, promoted when known, retired when its tokens are gone', async (t) => {
  const { cli, directory } = startCli(t);
  const env = { KEYS_DIR: path.join(directory, 'keys') };
  const production = { ...env, NODE_ENV: 'production' };

  const none = await cli(['keys', 'list'], { env });
  t.deepEqual(none, {
    code: 1,
    stdout: '',
    stderr: `${env.KEYS_DIR}/keys.json is missing: \`keys add\` makes it.\n`,
  });

  const added = await cli(['keys', 'add'], { env: production });
  t.is(added.code, 0, added.stderr);
  const [, first = ''] = /^Added ([\w-]{43}) \(ES256\)\.\n/.exec(added.stdout) ?? [];
  t.true(added.stdout.includes(`\nServers know it once they run with KEYS_DIR=${env.KEYS_DIR}.\n`));
  t.regex(added.stdout, /\nIt verifies, and signs nothing yet\. From \S+Z on: keys promote \S+\n$/);

  const promoted = await cli(['keys', 'promote', first.slice(0, 12), '--force'], { env });
  t.deepEqual(promoted, {
    code: 0,
    stdout:
      `${first} (ES256) signs from now on.\n` +
      'SIGNING_KEY, where it is set, still verifies: unset it when its last token has expired.\n',
    stderr: '',
  });

  const second = add(env.KEYS_DIR, { algorithm: 'RS256' }).kid;
  const early = await cli(['keys', 'promote'], { env });
  t.is(early.code, 1);
  t.regex(
    early.stderr,
    new RegExp(`^Cannot promote ${second} yet: .*Wait \\d minutes.*--force\\.\n$`),
  );

  t.is((await cli(['keys', 'promote', '--force'], { env })).code, 0);
  const refused = await cli(['keys', 'retire', first], { env });
  t.is(refused.code, 1);
  t.regex(refused.stderr, new RegExp(`^Cannot retire ${first} yet: .*Wait 1 day`));

  const retired = await cli(['keys', 'retire', first, '--force'], { env });
  t.is(
    retired.stdout,
    `Retired ${first}: whatever it signed is refused from now on, and its file is deleted.\n`,
  );
  const { stdout } = await cli(['keys', 'list'], { env });
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.length, 3);
  t.regex(lines[0] ?? '', /^KID +ALGORITHM  STATE    CREATED$/);
  t.regex(lines[1] ?? '', new RegExp(`^${first}  ES256      gone     \\S+Z  retired at \\S+Z$`));
  t.regex(lines[2] ?? '', new RegExp(`^${second}  RS256      current  \\S+Z  signs since \\S+Z$`));
  t.false(existsSync(path.join(directory, 'data')), 'no database was opened');
});

for (const [args, sentence] of [
  [['keys'], 'Usage: latchkey keys '],
  [['keys', 'rotate'], "error: unknown command 'rotate'"],
  [['keys', 'add', '--algorithm', 'none'], "error: option '--algorithm <name>' argument 'none'"],
  [['keys', 'add', '--verify-only'], 'error: --verify-only needs --file'],
  [['keys', 'add', 'x'], 'error: too many arguments'],
  [['keys', 'retire'], "error: missing required argument 'kid'"],
] as const)
  test(`\`${args.join(' ')}\` is wrong usage`, async (t) => {
    const { cli, directory } = startCli(t);
    const KEYS_DIR = path.join(directory, 'keys');

    const { code, stdout, stderr } = await cli([...args], { env: { KEYS_DIR } });

    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(sentence), stderr);
    t.false(existsSync(KEYS_DIR));
  });

test('without KEYS_DIR, and with wrong settings, there is a sentence', async (t) => {
  const { cli } = startCli(t);

  t.deepEqual(await cli(['keys', 'list']), {
    code: 1,
    stdout: '',
    stderr: 'KEYS_DIR is not set: it names the directory of the keys.\n',
  });
  t.is((await cli(['keys', 'list'], { env: { LEEWAY: 'long' } })).code, 78);
});

/** A file that its owner alone can read. */
function write(t: ExecutionContext, text: string, mode = 0o600): string {
  const file = path.join(temporaryDirectory(t), 'file');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const BAD_FILES: [
  what: string,
  options: Omit<AddOptions, 'file'>,
  text: string,
  reason: string,
  mode?: number,
][] = [
  [
    'a private key that others can read',
    { algorithm: 'ES256' },
    pem(ec('P-256')),
    'can be read by others than its owner: chmod 600 it',
    0o644,
  ],
  [
    'a secret that others can read',
    { algorithm: 'HS256', verifyOnly: true },
    STRONG,
    'can be read by others than its owner: chmod 600 it',
    0o640,
  ],
  [
    'a public key to sign with',
    { algorithm: 'ES256' },
    publicPem(ec('P-256')),
    'holds no readable PEM private key',
  ],
  [
    'a key on another curve',
    { algorithm: 'ES256' },
    pem(ec('P-384')),
    'is no P-256 key, which ES256 needs',
  ],
  ['an RSA key', { algorithm: 'ES256' }, pem(rsa(2048)), 'is no P-256 key, which ES256 needs'],
  ['an EC key', { algorithm: 'RS256' }, pem(ec('P-256')), 'is no RSA key, which RS256 needs'],
  ['1024 bits', { algorithm: 'RS256' }, pem(rsa(1024)), 'is an RSA key of less than 2048 bits'],
  [
    '1024 bits to verify with',
    { algorithm: 'RS256', verifyOnly: true },
    publicPem(rsa(1024)),
    'is an RSA key of less than 2048 bits',
  ],
  ['a secret', { algorithm: 'ES256' }, STRONG, 'holds no readable PEM private key'],
  [
    'a secret to verify with',
    { algorithm: 'RS256', verifyOnly: true },
    STRONG,
    'holds no readable PEM public key',
  ],
  [
    'a PEM key for a secret',
    { algorithm: 'HS256' },
    publicPem(ec('P-256')),
    'is a PEM key, which HS256 does not use',
  ],
  [
    'a short secret',
    { algorithm: 'HS256' },
    STRONG.slice(1),
    'holds a secret that is shorter than 32 bytes',
  ],
  [
    'a well-known secret',
    { algorithm: 'HS256', verifyOnly: true },
    `django-insecure-${STRONG}`,
    'holds a secret that is a well-known value',
  ],
  ['nothing', { algorithm: 'HS256' }, '\n', 'holds a secret that is shorter than 32 bytes'],
];

for (const [what, options, text, reason, mode] of BAD_FILES)
  test(`${options.algorithm}${options.verifyOnly ? ' --verify-only' : ''} does not take ${what}`, (t) => {
    const KEYS_DIR = path.join(temporaryDirectory(t), 'keys');
    const file = write(t, text, mode);

    t.throws(() => addKey({ ...options, file }, keyDeps(KEYS_DIR)), {
      instanceOf: OperatorError,
      message: `${file} ${reason}.`,
    });
    t.false(existsSync(KEYS_DIR));
  });

for (const verifyOnly of [true, false])
  test(`a file that is not there, or a directory, is named (${verifyOnly})`, (t) => {
    const directory = temporaryDirectory(t);
    const addFile = (file: string): unknown => add(directory, { file, verifyOnly });

    t.throws(() => addFile('/none/such.pem'), {
      instanceOf: OperatorError,
      message: /^\/none\/such\.pem (is missing|cannot be read: ENOENT.*)\.$/,
    });
    t.throws(() => addFile(directory), {
      instanceOf: OperatorError,
      message: new RegExp(`^${directory} cannot be read.*EISDIR`),
    });
  });

test('a key of a file keeps its thumbprint for a name, and becomes PKCS #8', (t) => {
  const directory = temporaryDirectory(t);
  const { privateKey, publicKey } = ec('P-256');
  const file = write(t, String(privateKey.export({ type: 'sec1', format: 'pem' })));

  const { kid } = add(directory, { file });

  t.is(kid, thumbprint(publicKey));
  t.is(readFileSync(path.join(directory, `${kid}.pem`), 'utf8'), pem({ privateKey, publicKey }));
});

test('to verify only, a private key is as good as its public half, which alone is kept', (t) => {
  const directory = temporaryDirectory(t);
  const pair = ec('P-256');

  const { kid } = add(directory, { file: write(t, pem(pair)), verifyOnly: true });

  t.is(readFileSync(path.join(directory, `${kid}.pem`), 'utf8'), publicPem(pair));
});

test('a public key may be for anybody to read', (t) => {
  const directory = temporaryDirectory(t);

  add(directory, { file: write(t, publicPem(ec('P-256')), 0o644), verifyOnly: true });

  t.deepEqual(statesIn(directory), ['verify-only']);
});

test('a secret is the text of its file without white space around it', (t) => {
  const directory = temporaryDirectory(t);

  add(directory, { algorithm: 'HS256', file: write(t, ` ${STRONG}\n`), verifyOnly: true });

  t.is(readKeys(directory)[0]?.verifying.export().toString(), STRONG);
});

test('a key is there once, also if its name is another', (t) => {
  const directory = temporaryDirectory(t);
  const secret = { algorithm: 'HS256', file: write(t, STRONG) } as const;
  const { kid } = add(directory, secret);
  const file = write(t, pem(ec('P-256')));
  const { kid: other } = add(directory, { file });

  t.throws(() => add(directory, { ...secret, verifyOnly: true }), {
    message: `The key ${kid} is there already (next).`,
  });
  t.throws(() => add(directory, { file, verifyOnly: true }), {
    message: `The key ${other} is there already (next).`,
  });
  retireKey({ kid: other }, keyDeps(directory));
  t.throws(() => add(directory, { file }), {
    message: `The key ${other} was retired, and does not come back: make a new one.`,
  });
});

test('a kid that looks like an option is told in a way that can be typed', (t) => {
  const directory = temporaryDirectory(t);
  let pair = ec('P-256');
  while (!thumbprint(pair.publicKey).startsWith('-')) pair = ec('P-256');

  const told = addKey({ algorithm: 'ES256', file: write(t, pem(pair)) }, keyDeps(directory));

  t.regex(told, /: keys promote -- -[\w-]{42}$/);
});

test('a refused change leaves everything as it was', (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = addCurrent(directory);
  add(directory);
  const before = readdirSync(directory).map((name) => [
    name,
    readFileSync(path.join(directory, name), 'utf8'),
  ]);

  t.throws(() => promoteKey({}, keyDeps(directory)), { message: /^Cannot promote/ });
  t.throws(() => retireKey({ kid, force: true }, keyDeps(directory)), {
    message: /^Cannot retire/,
  });
  t.throws(() => add(directory, { file: '/none/such' }), { message: /is missing/ });

  t.deepEqual(
    readdirSync(directory).map((name) => [name, readFileSync(path.join(directory, name), 'utf8')]),
    before,
  );
});

test('a key whose file is lost can be retired, and then another be added', (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = addCurrent(directory);
  const next = add(directory).kid;
  promoteKey({ force: true }, keyDeps(directory));
  rmSync(path.join(directory, `${kid}.pem`));
  t.throws(() => readKeys(directory), { message: /is missing/ });

  retireKey({ kid, force: true }, keyDeps(directory));

  t.is(readKeys(directory)[0]?.kid, next);
  t.notThrows(() => add(directory, { algorithm: 'HS256' }));
});

test('the list says what can be done with each key', (t) => {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  addCurrent(directory);
  add(directory);
  add(directory, { algorithm: 'HS256', verifyOnly: true, file: write(t, STRONG) });

  const lines = listKeys(keyDeps(directory)).split('\n');

  const outlooks = lines
    .slice(1)
    .map((line) => /\S+Z {2}(.*)/.exec(line)?.[1]?.replace(/\S+Z/, '…'));
  t.deepEqual(outlooks, [
    'verifies; can be retired from … on',
    'signs since …',
    'can sign from … on',
    'verifies tokens of another system',
  ]);
});

test('while no key signs, the list says what does', (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = add(directory);
  t.regex(listKeys(keyDeps(directory)), /\n\nNone of them signs yet: SIGNING_KEY does\.$/);

  retireKey({ kid }, keyDeps(directory, DAY));
  t.regex(listKeys(keyDeps(directory)), /gone/);
});

test('of commands at the same time none loses what another wrote', async (t) => {
  const { cli, directory } = startCli(t);
  const env = { KEYS_DIR: path.join(directory, 'keys') };

  const outcomes = await Promise.all([1, 2, 3, 4].map(() => cli(['keys', 'add'], { env })));

  t.deepEqual(
    outcomes.map(({ code, stderr }) => [code, stderr]),
    Array<unknown>(4).fill([0, '']),
  );
  t.is(readEntries(env.KEYS_DIR).length, 4);
  t.is(readKeys(env.KEYS_DIR).length, 4);
});

test('a command that another one keeps waiting for too long gives up with a sentence', (t) => {
  const directory = temporaryDirectory(t);
  add(directory);
  const unlock = lockFile(path.join(directory, 'lock'));

  t.throws(() => add(directory), {
    instanceOf: OperatorError,
    message: `Another command is changing the keys in ${directory}: try again.`,
  });
  unlock();
  t.notThrows(() => add(directory));
});

test('a directory that cannot be made is told', (t) => {
  const file = write(t, '');

  t.throws(() => add(path.join(file, 'keys')), {
    instanceOf: OperatorError,
    message: /^Cannot change the keys in .*: ENOTDIR.*\.$/,
  });
});

test('a manifest that is a directory is told', (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(path.join(directory, 'keys.json'));

  t.throws(() => listKeys(keyDeps(directory)), {
    instanceOf: OperatorError,
    message: `${directory}/keys.json is no file.`,
  });
});
