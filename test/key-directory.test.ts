import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { retireKey } from '../src/commands/keys.ts';
import { OperatorError } from '../src/errors.ts';
import { keyFileName, readEntries, readKeys } from '../src/key-directory.ts';
import type { KeyEntry } from '../src/key-directory.ts';
import { newSigningKey } from '../src/secrets.ts';
import { add, addCurrent, keyDeps, temporaryDirectory } from './support/keys.ts';

const manifestOf = (directory: string): string => path.join(directory, 'keys.json');
const fileOf = (directory: string, entry: KeyEntry): string =>
  path.join(directory, keyFileName(entry));
const modeOf = (file: string): number => statSync(file).mode & 0o777;
const write = (file: string, text: string): void => writeFileSync(file, text, { mode: 0o600 });

test('what was added is read again, with the halves of each key that are known', (t) => {
  const directory = temporaryDirectory(t);
  const legacy = path.join(temporaryDirectory(t), 'legacy.pem');
  write(legacy, newSigningKey('ES256'));
  const entries = [
    addCurrent(directory),
    add(directory, { algorithm: 'RS256' }),
    add(directory, { algorithm: 'HS256' }),
    add(directory, { file: legacy, verifyOnly: true }),
  ];

  const keys = readKeys(directory);

  t.deepEqual(
    keys.map(({ signing: _signing, verifying: _verifying, ...entry }) => entry),
    entries,
  );
  t.deepEqual(
    keys.map(({ state, signing, verifying }) => [state, signing?.type, verifying.type]),
    [
      ['current', 'private', 'public'],
      ['next', 'private', 'public'],
      ['next', 'secret', 'secret'],
      ['verify-only', undefined, 'public'],
    ],
  );
});

test('keys are for their owner alone', (t) => {
  const directory = path.join(temporaryDirectory(t), 'deep', 'keys');
  const files = [add(directory), add(directory, { algorithm: 'HS256' })].map((entry) =>
    fileOf(directory, entry),
  );

  t.is(modeOf(directory), 0o700);
  for (const file of [...files, manifestOf(directory), path.join(directory, 'lock')])
    t.is(modeOf(file), 0o600, file);
});

test('a key that is gone is in the manifest, and nowhere else', (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = add(directory);
  add(directory);
  retireKey({ kid }, keyDeps(directory));

  t.deepEqual(
    readEntries(directory).map(({ state }) => state),
    ['gone', 'next'],
  );
  t.is(readKeys(directory).length, 1);
  t.throws(() => statSync(path.join(directory, `${kid}.pem`)), { code: 'ENOENT' });
});

type Manifest = { version: number; keys: Record<string, unknown>[] };

/** A directory with two keys, and a manifest that a test has changed. */
function changed(t: ExecutionContext, change: (manifest: Manifest) => unknown): string {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  add(directory);
  const manifest: Manifest = JSON.parse(readFileSync(manifestOf(directory), 'utf8'));
  const result = change(manifest) ?? manifest;
  write(manifestOf(directory), typeof result === 'string' ? result : JSON.stringify(result));
  return directory;
}

const set =
  (members: Record<string, unknown>) =>
  ({ keys }: Manifest): void => {
    Object.assign(keys[1] ?? {}, members);
  };
const ODD_KEY = 'its key number 2 is not what `keys` writes';

const BROKEN: [what: string, change: (manifest: Manifest) => unknown, reason: string][] = [
  ['cut short', (manifest) => JSON.stringify(manifest).slice(0, -9), 'it is no JSON object'],
  ['empty', () => '', 'it is no JSON object'],
  ['a list', ({ keys }) => keys, 'it is no JSON object'],
  [
    'of another version',
    () => ({ version: 2, keys: [] }),
    'its version is not 1, the one known here',
  ],
  ['without keys', () => ({ version: 1 }), 'it has no list of keys'],
  ['with a null for a key', ({ keys }) => ({ version: 1, keys: [keys[0], null] }), ODD_KEY],
  ['with a kid that leads elsewhere', set({ kid: '../../../../etc/ssl/private/server' }), ODD_KEY],
  ['with a kid that is a number', set({ kid: 1 }), ODD_KEY],
  ['with an unknown algorithm', set({ algorithm: 'none' }), ODD_KEY],
  ['with an unknown state', set({ state: 'signing' }), ODD_KEY],
  ['without a time', set({ created_at: undefined }), ODD_KEY],
  ['with a time that is none', set({ retire_after: 'soon' }), ODD_KEY],
  [
    'with a key twice',
    ({ keys }) => ({ version: 1, keys: [keys[0], keys[0]] }),
    'it names a key twice',
  ],
  ['with two current keys', set({ state: 'current' }), 'it has two current keys'],
];

for (const [what, change, reason] of BROKEN)
  test(`a manifest ${what} is refused as a whole`, (t) => {
    const directory = changed(t, change);

    t.throws(() => readKeys(directory), {
      instanceOf: OperatorError,
      message: `${manifestOf(directory)} is broken: ${reason}.`,
    });
  });

const ec = (namedCurve: string): string =>
  generateKeyPairSync('ec', { namedCurve })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
const rsa = (modulusLength: number): string =>
  generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

type Algorithm = KeyEntry['algorithm'];
const UNFIT: [what: string, algorithm: Algorithm, spoil: (file: string) => void, reason: string][] =
  [
    ['is not there', 'ES256', (file) => rmSync(file), 'is missing'],
    [
      'others can read',
      'ES256',
      (file) => chmodSync(file, 0o640),
      'can be read by others than its owner: chmod 600 it',
    ],
    ['is empty', 'ES256', (file) => write(file, ''), 'holds no readable PEM private key'],
    ['is cut short', 'HS256', (file) => write(file, ''), 'holds no secret in base64url'],
    ['is other text', 'HS256', (file) => write(file, 'a b'), 'holds no secret in base64url'],
    [
      'holds another key',
      'ES256',
      (file) => write(file, ec('P-256')),
      'is not the key that keys.json names',
    ],
    [
      'holds a key on another curve',
      'ES256',
      (file) => write(file, ec('P-384')),
      'is no P-256 key, which ES256 needs',
    ],
    [
      'holds a key of another kind',
      'ES256',
      (file) => write(file, rsa(2048)),
      'is no P-256 key, which ES256 needs',
    ],
    [
      'holds a key that is too small',
      'RS256',
      (file) => write(file, rsa(1024)),
      'is an RSA key of less than 2048 bits',
    ],
  ];

for (const [what, algorithm, spoil, reason] of UNFIT)
  test(`the file of an ${algorithm} key that ${what} is named`, (t) => {
    const directory = temporaryDirectory(t);
    addCurrent(directory);
    const file = fileOf(directory, add(directory, { algorithm }));
    spoil(file);

    t.throws(() => readKeys(directory), {
      instanceOf: OperatorError,
      message: `${file} ${reason}.`,
    });
  });

test('a directory that others can write is refused, for they could bring keys of their own', (t) => {
  const directory = temporaryDirectory(t);
  add(directory);
  chmodSync(directory, 0o770);

  t.throws(() => readKeys(directory), {
    message: `${directory} can be written by others than its owner.`,
  });
});

test('a directory without a manifest is not one without keys', (t) => {
  const directory = temporaryDirectory(t);
  add(directory);
  renameSync(manifestOf(directory), path.join(directory, 'lost.json'));

  t.throws(() => readKeys(directory), {
    message: `${manifestOf(directory)} is missing: \`keys add\` makes it.`,
  });
  t.throws(() => add(directory), {
    message: new RegExp(`^${directory} holds \\S+\\.pem, but no keys\\.json: bring that back`),
  });
});

const CHURN = `
  import { addKey, retireKey } from ${JSON.stringify(path.join(import.meta.dirname, '../src/commands/keys.ts'))};
  const deps = { settings: { KEYS_DIR: process.argv[1], ALGORITHM: 'HS256' }, now: new Date() };
  for (let round = 0; round < 50; round += 1) {
    const [, kid] = /Added (\\S+)/.exec(addKey({ algorithm: 'HS256' }, deps));
    retireKey({ kid }, deps);
  }
`;

test('keys that come and go while they are read are no fault', async (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = addCurrent(directory);
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHURN, directory]);
  let code: number | null | undefined;
  child.on('close', (status) => (code = status));

  const seen = new Set<number>();
  while (code === undefined) {
    const keys = readKeys(directory);
    t.is(keys[0]?.kid, kid);
    seen.add(keys.length);
    await setImmediate();
  }

  t.is(code, 0);
  t.deepEqual([...seen].toSorted(), [1, 2]);
  t.is(readEntries(directory).length, 51);
});
