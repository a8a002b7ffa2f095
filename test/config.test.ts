import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ConfigError, loadConfig, settings } from '../src/config.ts';

const ROOT = path.join(import.meta.dirname, '..');
const temporaryDirectory = (): string => mkdtempSync(path.join(os.tmpdir(), 'latchkey-config-'));

const STRONG = 'kP3vN8xQ2mW7rT5yB9cF4hJ6dL1sG0zA';
const OTHER = 'uE7jR2aM5xK9wQ4tV8nY3bH6pC1gD0fS';
const PRODUCTION = { NODE_ENV: 'production', SECRET_KEY: STRONG, SIGNING_KEY: OTHER };

const rsa = (modulusLength: number): string =>
  generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
const ec = (namedCurve: string): { pem: string; publicPem: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
};

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig({ DATA_DIR: temporaryDirectory(), ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('an empty environment is a development configuration with the documented defaults', (t) => {
  const config = loadConfig({ DATA_DIR: temporaryDirectory() });

  t.is(config.PORT, 8000);
  t.is(config.ACCESS_TOKEN_LIFETIME, 300);
  t.is(config.REFRESH_TOKEN_LIFETIME, 86_400);
  t.false(config.ROTATE_REFRESH_TOKENS);
  t.deepEqual(config.AUTHENTICATION_SCHEMES, ['tokenAuth', 'bearerJWT']);
  t.is(config.REFRESH_REUSE, 'revoke_family');
  t.true(Object.isFrozen(config));
});

test('a setting that is empty counts as not set', (t) => {
  const config = loadConfig({
    DATA_DIR: temporaryDirectory(),
    PORT: '',
    DATABASE_URL: '',
    ISSUER: '',
  });

  t.is(config.PORT, 8000);
  t.is(config.DATABASE_URL, undefined);
  t.is(config.ISSUER, undefined);
});

for (const [text, seconds] of [
  ['300', 300],
  ['90s', 90],
  ['5m', 300],
  ['2h', 7200],
  ['1d', 86_400],
  ['2w', 1_209_600],
] as const)
  test(`a lifetime of ${text} is ${seconds} seconds`, (t) => {
    const config = loadConfig({ DATA_DIR: temporaryDirectory(), ACCESS_TOKEN_LIFETIME: text });

    t.is(config.ACCESS_TOKEN_LIFETIME, seconds);
  });

const BAD: [name: string, value: string][] = [
  ['PORT', '65536'],
  ['PORT', '80a'],
  ['ACCESS_TOKEN_LIFETIME', '0'],
  ['ACCESS_TOKEN_LIFETIME', '-5m'],
  ['ACCESS_TOKEN_LIFETIME', 'five'],
  ['ROTATE_REFRESH_TOKENS', 'maybe'],
  ['ALGORITHM', 'none'],
  ['ALGORITHM', 'hs256'],
  ['REFRESH_REUSE', 'ignore'],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['BASE_URL', 'api.example.com'],
  ['BASE_URL', 'https://api.example.com/v1'],
  ['AUTH_HEADER_TYPES', 'Bearer,'],
  ['AUTH_HEADER_TYPES', 'two words'],
  ['AUTHENTICATION_SCHEMES', 'tokenAuth,tokenAuth'],
  ['USER_ID_CLAIM', 'user id'],
  ['BCRYPT_ROUNDS', '3'],
  ['NODE_ENV', 'staging'],
];

for (const [name, value] of BAD)
  test(`${name}=${value} is refused by name`, (t) => {
    const problems = problemsOf({ [name]: value });

    t.true(problems.length > 0);
    t.regex(problems.join('\n'), new RegExp(`^${name} `, 'm'));
  });

test('all problems are told at once, and no value of a secret', (t) => {
  const problems = problemsOf({
    NODE_ENV: 'production',
    SECRET_KEY: 'hunter2',
    SIGNING_KEY: 'hunter2',
    DATABASE_URL: 'mysql://root:hunter2@localhost/x',
    PORT: 'x',
    PAGE_SIZE: '500',
    BCRYPT_ROUNDS: '4',
  });

  for (const name of [
    'SECRET_KEY',
    'SIGNING_KEY',
    'DATABASE_URL',
    'PORT',
    'PAGE_SIZE',
    'BCRYPT_ROUNDS',
  ])
    t.regex(problems.join('\n'), new RegExp(`^${name} `, 'm'));
  t.notRegex(problems.join('\n'), /hunter2/);
});

const WEAK: [title: string, env: Record<string, string>, problem: RegExp][] = [
  ['a missing secret', { SECRET_KEY: '' }, /SECRET_KEY is missing/],
  [
    'a short secret',
    { SIGNING_KEY: 'kP3vN8xQ2mW7rT5yB9cF4hJ6dL1sG0z' },
    /SIGNING_KEY is shorter than 32 bytes/,
  ],
  [
    'a well-known secret',
    { SIGNING_KEY: 'your-256-bit-secret' },
    /SIGNING_KEY is a well-known value/,
  ],
  [
    'a secret of one character',
    { SIGNING_KEY: '0'.repeat(64) },
    /SIGNING_KEY is a well-known value/,
  ],
  ['a secret of few characters', { SIGNING_KEY: 'abcabc'.repeat(10) }, /SIGNING_KEY has too few/],
  ['one secret for two purposes', { SIGNING_KEY: STRONG }, /same secret for two purposes/],
  [
    'an RSA key of 1024 bits',
    { ALGORITHM: 'RS256', SIGNING_KEY: rsa(1024) },
    /less than 2048 bits/,
  ],
  ['a P-384 key for ES256', { ALGORITHM: 'ES256', SIGNING_KEY: ec('P-384').pem }, /no P-256 key/],
  ['an EC key for RS256', { ALGORITHM: 'RS256', SIGNING_KEY: ec('P-256').pem }, /no RSA key/],
  ['a secret for RS256', { ALGORITHM: 'RS256' }, /no readable PEM private key/],
  [
    'the public key of somebody else',
    { ALGORITHM: 'ES256', SIGNING_KEY: ec('P-256').pem, VERIFYING_KEY: ec('P-256').publicPem },
    /does not belong to SIGNING_KEY/,
  ],
  ['a public key for HS256', { VERIFYING_KEY: ec('P-256').publicPem }, /is not used with HS256/],
];

for (const [title, env, problem] of WEAK)
  test(`production refuses ${title}`, (t) => {
    t.regex(problemsOf({ ...PRODUCTION, ...env }).join('\n'), problem);
  });

test('production takes strong secrets, as text or from files, and takes them out of the environment', (t) => {
  const file = path.join(temporaryDirectory(), 'signing');
  writeFileSync(file, `${OTHER}\n`);
  const env: Record<string, string | undefined> = {
    NODE_ENV: 'production',
    SECRET_KEY: STRONG,
    SIGNING_KEY_FILE: file,
    DATABASE_URL: 'postgres://latchkey:swordfish@db/latchkey',
  };

  const config = loadConfig(env);

  t.is(config.SECRET_KEY, STRONG);
  t.is(config.SIGNING_KEY.export().toString(), OTHER);
  t.notRegex(JSON.stringify(env), new RegExp(`${STRONG}|swordfish`));
});

test('a secret that is given twice, or in a file that cannot be read, is a problem', (t) => {
  t.regex(
    problemsOf({ SIGNING_KEY: OTHER, SIGNING_KEY_FILE: '/x' }).join(),
    /SIGNING_KEY is set twice/,
  );
  t.regex(problemsOf({ SECRET_KEY_FILE: '/none/such' }).join(), /SECRET_KEY cannot be read/);
});

test('development makes its secrets once, for its owner only, and one for each algorithm', (t) => {
  const directory = temporaryDirectory();

  const [first, again] = [loadConfig({ DATA_DIR: directory }), loadConfig({ DATA_DIR: directory })];
  const other = loadConfig({ DATA_DIR: directory, ALGORITHM: 'ES256' });

  t.is(first.SECRET_KEY, again.SECRET_KEY);
  t.true(first.SIGNING_KEY.equals(again.SIGNING_KEY));
  t.is(other.SIGNING_KEY.asymmetricKeyType, 'ec');
  t.not(first.SECRET_KEY, loadConfig({ DATA_DIR: temporaryDirectory() }).SECRET_KEY);
  for (const name of ['secret_key', 'signing_key.HS256', 'signing_key.ES256'])
    t.is(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
});

test('the README and .env.example list every setting with its default', (t) => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const example = readFileSync(path.join(ROOT, '.env.example'), 'utf8');

  for (const { name, default: fallback, doc } of settings) {
    const shown = fallback === undefined ? ' *' : ` *\`${fallback.replaceAll('.', '\\.')}\` *`;
    t.regex(readme, new RegExp(`^\\| \`${name}\` *\\|${shown}\\| `, 'm'), name);
    t.true(readme.includes(doc), `${name}: ${doc}`);
    t.true(
      example.includes(fallback === undefined ? `\n# ${name}=\n` : `\n${name}=${fallback}\n`),
      name,
    );
  }
});
