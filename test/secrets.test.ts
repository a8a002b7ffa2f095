import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {
  developmentSecret,
  newSigningKey,
  randomSecret,
  signingKey,
  verifyingKey,
  weakness,
} from '../src/secrets.ts';

const STRONG = 'kP3vN8xQ2mW7rT5yB9cF4hJ6dL1sG0zA';

const SECRETS: [secret: string, reason: string | undefined][] = [
  [STRONG, undefined],
  [`${STRONG}é`, undefined],
  ['0123456789abcdef0123456789abcdef', undefined],
  [STRONG.slice(1), 'is shorter than 32 bytes'],
  ['', 'is shorter than 32 bytes'],
  ['é'.repeat(15), 'is a well-known value'],
  ['secret', 'is a well-known value'],
  ['ChangeMe', 'is a well-known value'],
  ['change-me', 'is a well-known value'],
  ['your-256-bit-secret', 'is a well-known value'],
  [`change-me-${STRONG}`, 'is a well-known value'],
  ['please-changeme'.repeat(4), 'is a well-known value'],
  [`django-insecure-${STRONG}`, 'is a well-known value'],
  ['a'.repeat(64), 'is a well-known value'],
  ['abcabcabc'.repeat(8), 'has too few different characters'],
];

for (const [secret, reason] of SECRETS) {
  test(`the secret "${secret.slice(0, 40)}" ${reason ?? 'is strong'}`, (t) => {
    t.is(weakness(secret), reason);
  });
}

test('what is made at random is strong, and never the same', (t) => {
  const secrets = Array.from({ length: 20 }, randomSecret);

  t.is(new Set(secrets).size, 20);
  t.deepEqual(secrets.map(weakness), Array<undefined>(20).fill(undefined));
});

const newDirectory = (): string => mkdtempSync(path.join(os.tmpdir(), 'latchkey-secrets-'));
const modeOf = (file: string): number => statSync(file).mode & 0o777;

test('a development secret is made once, in a directory and a file for their owner alone', (t) => {
  const directory = path.join(newDirectory(), 'data', 'secrets');
  let made = 0;
  const make = (): string => `secret ${(made += 1)}`;

  const [first, again] = [1, 2].map(() => developmentSecret(directory, 'key', make));

  t.deepEqual([first, again], ['secret 1', 'secret 1']);
  t.is(readFileSync(path.join(directory, 'key'), 'utf8'), 'secret 1');
  t.deepEqual([modeOf(directory), modeOf(path.join(directory, 'key'))], [0o700, 0o600]);
  t.is(
    developmentSecret(directory, 'other', () => 'another'),
    'another',
  );
});

test('a development secret that cannot be read is no reason to make another', (t) => {
  const directory = newDirectory();
  mkdirSync(path.join(directory, 'folder'));
  writeFileSync(path.join(directory, 'empty'), '');
  writeFileSync(path.join(directory, 'file'), 'text');
  const make = (): string => 'new';

  t.throws(() => developmentSecret(directory, 'empty', make), {
    message: `is empty in ${path.join(directory, 'empty')}: remove that file`,
  });
  t.throws(() => developmentSecret(directory, 'folder', make), { code: 'EISDIR' });
  t.throws(() => developmentSecret(path.join(directory, 'file'), 'key', make), { code: 'EEXIST' });
  t.deepEqual(readdirSync(directory).toSorted(), ['empty', 'file', 'folder']);
});

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const pemOf = ({ privateKey }: ReturnType<typeof rsa>): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPemOf = ({ publicKey }: ReturnType<typeof rsa>): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();

const RSA = rsa(2048);
const EC = ec('P-256');

for (const algorithm of ['HS256', 'HS384', 'HS512']) {
  test(`${algorithm} signs and verifies with the secret`, (t) => {
    const key = signingKey(algorithm, STRONG);

    t.is(key.export().toString(), STRONG);
    t.is(verifyingKey(algorithm, key), key);
    t.throws(() => verifyingKey(algorithm, key, publicPemOf(EC)), {
      message: `is not used with ${algorithm}`,
    });
  });
}

for (const [algorithm, pair] of [
  ['RS256', RSA],
  ['ES256', EC],
] as const) {
  test(`${algorithm} signs with the private key and verifies with its public half, spelt out or not`, (t) => {
    const key = signingKey(algorithm, pemOf(pair));

    t.is(key.type, 'private');
    t.true(verifyingKey(algorithm, key).equals(pair.publicKey));
    t.true(verifyingKey(algorithm, key, publicPemOf(pair)).equals(pair.publicKey));
    t.is(verifyingKey(algorithm, key, pemOf(pair)).type, 'public');
  });
}

const BAD_SIGNING: [what: string, algorithm: string, text: string, message: string][] = [
  ['a secret', 'RS256', STRONG, 'holds no readable PEM private key'],
  ['a public key', 'RS256', publicPemOf(RSA), 'holds no readable PEM private key'],
  ['half a key', 'ES256', pemOf(EC).slice(0, 100), 'holds no readable PEM private key'],
  ['a PEM key', 'HS256', publicPemOf(RSA), 'is a PEM key, which HS256 does not use'],
  ['an EC key', 'RS256', pemOf(EC), 'is no RSA key, which RS256 needs'],
  ['an RSA key', 'ES256', pemOf(RSA), 'is no P-256 key, which ES256 needs'],
  ['a P-384 key', 'ES256', pemOf(ec('P-384')), 'is no P-256 key, which ES256 needs'],
  ['a secp256k1 key', 'ES256', pemOf(ec('secp256k1')), 'is no P-256 key, which ES256 needs'],
  ['1024 bits', 'RS256', pemOf(rsa(1024)), 'is an RSA key of less than 2048 bits'],
];

for (const [what, algorithm, text, message] of BAD_SIGNING) {
  test(`${algorithm} does not sign with ${what}`, (t) => {
    t.throws(() => signingKey(algorithm, text), { message });
  });
}

const BAD_VERIFYING: [what: string, text: string, message: string][] = [
  ['the key of somebody else', publicPemOf(ec('P-256')), 'does not belong to SIGNING_KEY'],
  ['a key of another kind', publicPemOf(RSA), 'is no P-256 key, which ES256 needs'],
  ['no key', 'nonsense', 'holds no readable PEM public key'],
];

for (const [what, text, message] of BAD_VERIFYING) {
  test(`a token is not verified with ${what}`, (t) => {
    t.throws(() => verifyingKey('ES256', signingKey('ES256', pemOf(EC)), text), { message });
  });
}

for (const [algorithm, kind] of [
  ['HS512', undefined],
  ['RS256', 'rsa'],
  ['ES256', 'ec'],
] as const) {
  test(`a new key for ${algorithm} fits it, and is another each time`, (t) => {
    const [one, two] = [newSigningKey(algorithm), newSigningKey(algorithm)];

    t.is(signingKey(algorithm, one).asymmetricKeyType, kind);
    t.not(one, two);
    if (kind) t.notThrows(() => createPublicKey(one));
    else t.is(weakness(one), undefined);
  });
}
