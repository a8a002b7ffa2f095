import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ConfigError, loadConfig } from '../src/config.ts';
import { settings } from '../src/settings.ts';
import { add, addCurrent, temporaryDirectory as temporaryKeys } from './support/keys.ts';

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
  ['ACCESS_TOKEN_LIFETIME', '1.5h'],
  ['ACCESS_TOKEN_LIFETIME', '5 m'],
  ['ACCESS_TOKEN_LIFETIME', '36526d'],
  ['REFRESH_TOKEN_LIFETIME', '999999999w'],
  ['REFRESH_GRACE', '-1'],
  ['LEEWAY', '1y'],
  ['ROTATE_REFRESH_TOKENS', 'maybe'],
  ['ALGORITHM', 'none'],
  ['ALGORITHM', 'hs256'],
  ['REFRESH_REUSE', 'ignore'],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['TRUSTED_PROXIES', 'proxy.example.com'],
  ['TRUSTED_PROXIES', '10.0.0.0/33'],
  ['THROTTLE_ANON', '100'],
  ['THROTTLE_LOGIN', '-1/m'],
  ['THROTTLE_LOGIN', '5/week'],
  ['REDIS_URL', 'localhost:6379'],
  ['BASE_URL', 'api.example.com'],
  ['BASE_URL', 'https://api.example.com/v1'],
  ['BASE_URL', 'https://api.example.com/?a'],
  ['BASE_URL', 'ftp://api.example.com'],
  ['CORS_ALLOWED_ORIGINS', '*'],
  ['CORS_ALLOWED_ORIGINS', 'null'],
  ['CORS_ALLOWED_ORIGINS', 'shop.example'],
  ['CORS_ALLOWED_ORIGINS', 'https://shop.example,'],
  ['CORS_ALLOWED_ORIGINS', 'https://shop.example/shop'],
  ['CORS_ALLOWED_ORIGINS', 'https://*.shop.example'],
  ['DATABASE_URL', 'postgres://['],
  ['DATABASE_POOL_SIZE', '0'],
  ['WORKERS', '0'],
  ['WORKERS', '257'],
  ['WORKERS', 'all'],
  ['PAGE_SIZE', '1e3'],
  ['PORT', '-1'],
  ['DOCS', 'sometimes'],
  ['LOG_LEVEL', 'loud'],
  ['AUTH_HEADER_TYPES', 'Bearer,'],
  ['AUTH_HEADER_TYPES', 'two words'],
  ['AUTHENTICATION_SCHEMES', 'tokenAuth,tokenAuth'],
  ['USER_ID_CLAIM', 'user id'],
  ['JTI_CLAIM', 'sub'],
  ['LEEWAY', '1d'],
  ['REFRESH_GRACE', '1h'],
  ['BCRYPT_ROUNDS', '3'],
  ['CONTRACT_CHECK_RATE', '1.01'],
  ['CONTRACT_CHECK_RATE', '1%'],
  ['CONTRACT_CHECK_RATE', '-0.1'],
  ['NODE_ENV', 'staging'],
  ['INTROSPECTION_CLIENT_ID', 'two words'],
  ['INTROSPECTION_CLIENT_ID', 'a:b'],
  ['INTROSPECTION_CLIENT_ID', 'café'],
];

for (const [name, value] of BAD)
  test(`${name}=${value} is refused by name`, (t) => {
    const problems = problemsOf({ [name]: value });

    t.true(problems.length > 0);
    t.regex(problems.join('\n'), new RegExp(`^${name} `, 'm'));
  });

const CONTRADICTIONS: [env: Record<string, string>, problem: string][] = [
  [{ PAGE_SIZE: '101' }, 'PAGE_SIZE is larger than MAX_PAGE_SIZE'],
  [
    { PASSWORD_MIN_LENGTH: '20', PASSWORD_MAX_LENGTH: '10' },
    'PASSWORD_MIN_LENGTH is larger than PASSWORD_MAX_LENGTH',
  ],
  [
    { WORKERS: '2' },
    'WORKERS is 2, and the embedded database is for one process: set DATABASE_URL to a PostgreSQL server',
  ],
  [
    { WORKERS: '11', DATABASE_URL: 'postgres://host/name' },
    'WORKERS is larger than DATABASE_POOL_SIZE: each of them needs a connection',
  ],
  [{ VERIFYING_KEY: 'any' }, 'VERIFYING_KEY is not used with HS256'],
  [
    { AUTH_HEADER_TYPES: 'Bearer,basic', INTROSPECTION_CLIENT_SECRET: 'any' },
    'AUTH_HEADER_TYPES has Basic, which is the keyword of INTROSPECTION_CLIENT_SECRET',
  ],
  [{ ACCESS_TOKEN_LIFETIME: '36526d' }, 'ACCESS_TOKEN_LIFETIME must be at most 100 years'],
];

for (const [env, problem] of CONTRADICTIONS)
  test(`${JSON.stringify(env)}: ${problem}`, (t) => {
    t.deepEqual(problemsOf(env), [problem]);
  });

const SHARED_CLAIMS: Record<string, string>[] = [
  { USER_ID_CLAIM: 'jti' },
  { JTI_CLAIM: 'exp' },
  { TOKEN_TYPE_CLAIM: 'sid' },
  { USER_ID_CLAIM: 'id', JTI_CLAIM: 'id' },
];

for (const env of SHARED_CLAIMS)
  test(`claims may not share a name: ${JSON.stringify(env)}`, (t) => {
    t.deepEqual(problemsOf(env), [
      'The claims named by USER_ID_CLAIM, TOKEN_TYPE_CLAIM, JTI_CLAIM and SLIDING_TOKEN_REFRESH_EXP_CLAIM must differ from each other and from registered ones',
    ]);
  });

test('all problems are told at once, each setting by name, and no value of a secret', (t) => {
  const problems = problemsOf({
    NODE_ENV: 'production',
    SECRET_KEY: 'hunter2',
    SIGNING_KEY: 'hunter2',
    DATABASE_URL: 'mysql://root:hunter2@localhost/x',
    PORT: 'x',
    PAGE_SIZE: '500',
    BCRYPT_ROUNDS: '4',
  });

  t.deepEqual(problems, [
    'PORT must be an integer from 0 to 65535',
    'DATABASE_URL must begin with postgres:// or postgresql://',
    'PAGE_SIZE is larger than MAX_PAGE_SIZE',
    'SECRET_KEY and SIGNING_KEY are the same secret for two purposes',
    'BCRYPT_ROUNDS must be at least 10 in production',
    'SECRET_KEY is shorter than 32 bytes: production needs a strong one',
    'SIGNING_KEY is shorter than 32 bytes: production needs a strong one',
  ]);
});

test('a problem is told once, without those that would follow from it', (t) => {
  const problems = problemsOf({
    NODE_ENV: 'production',
    SECRET_KEY_FILE: '/none/such',
    ALGORITHM: 'none',
    MAX_PAGE_SIZE: 'many',
    USER_ID_CLAIM: 'user id',
  });

  t.deepEqual(
    problems.map((problem) => problem.split(' ')[0]),
    ['SECRET_KEY', 'ALGORITHM', 'USER_ID_CLAIM', 'MAX_PAGE_SIZE'],
  );
});

test('the message of a refusal lists its problems, a line for each', (t) => {
  const { message } = new ConfigError(['PORT is odd', 'HOST is even']);

  t.is(message, 'Configuration problems:\n  - PORT is odd\n  - HOST is even');
});

test('a refusal takes the secrets out of the environment all the same, and makes none', (t) => {
  const directory = temporaryDirectory();
  const env = { DATA_DIR: directory, SECRET_KEY: STRONG, VERIFYING_KEY: 'swordfish', PORT: 'x' };

  t.throws(() => loadConfig(env), { instanceOf: ConfigError });

  t.deepEqual(env as object, { DATA_DIR: directory, PORT: 'x' });
  t.deepEqual(readdirSync(directory), []);
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
  ['one secret for two purposes', { SIGNING_KEY: `${STRONG} ` }, /same secret for two purposes/],
  [
    'a padded placeholder',
    { SECRET_KEY: 'change-me-please-change-me-please-1' },
    /SECRET_KEY is a well-known value/,
  ],
  [
    'a PEM key as the secret of HS256',
    { SIGNING_KEY: ec('P-256').publicPem },
    /is a PEM key, which HS256 does not use/,
  ],
  [
    'the keyword of one scheme for the other',
    { AUTH_HEADER_TYPES: 'JWT,Token' },
    /AUTH_HEADER_TYPES has Token/,
  ],
  [
    'a short secret of a client',
    { INTROSPECTION_CLIENT_SECRET: 'swordfish' },
    /^INTROSPECTION_CLIENT_SECRET is shorter than 32 bytes: production needs a strong one$/,
  ],
  [
    'the key of the tokens as the secret of a client',
    { INTROSPECTION_CLIENT_SECRET: STRONG },
    /^SECRET_KEY and INTROSPECTION_CLIENT_SECRET are the same secret for two purposes$/,
  ],
  [
    'the key that signs as the secret of a client',
    { INTROSPECTION_CLIENT_SECRET: `${OTHER}\n` },
    /^SIGNING_KEY and INTROSPECTION_CLIENT_SECRET are the same secret for two purposes$/,
  ],
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
  t.is(config.SIGNING_KEY?.export().toString(), OTHER);
  t.notRegex(JSON.stringify(env), new RegExp(`${STRONG}|swordfish`));
});

test('production takes a strong secret of a client, and none at all', (t) => {
  const secret = 'zF4kW8nT2qX6bL0vR5yJ9mD3hS7gP1cA';

  const config = loadConfig({
    ...PRODUCTION,
    DATA_DIR: temporaryDirectory(),
    INTROSPECTION_CLIENT_SECRET: secret,
  });
  const without = loadConfig({ ...PRODUCTION, DATA_DIR: temporaryDirectory() });

  t.is(config.INTROSPECTION_CLIENT_SECRET, secret);
  t.is(without.INTROSPECTION_CLIENT_SECRET, undefined);
  t.is(without.INTROSPECTION_CLIENT_ID, 'introspection');
});

test('a secret that is given twice, or in a file that cannot be read, is a problem', (t) => {
  t.regex(
    problemsOf({ SIGNING_KEY: OTHER, SIGNING_KEY_FILE: '/x' }).join(),
    /SIGNING_KEY is set twice/,
  );
  t.regex(problemsOf({ SECRET_KEY_FILE: '/none/such' }).join(), /SECRET_KEY cannot be read/);
});

test('a file without a secret in it is a problem, not an empty secret', (t) => {
  const file = path.join(temporaryDirectory(), 'empty');
  writeFileSync(file, ' \n');

  const problems = problemsOf({ SECRET_KEY_FILE: file, SIGNING_KEY_FILE: file });

  t.deepEqual(problems, [
    'SECRET_KEY cannot be read from the file that SECRET_KEY_FILE names',
    'SIGNING_KEY cannot be read from the file that SIGNING_KEY_FILE names',
  ]);
});

test('an empty development secret, left by a start that was cut short, is a problem', (t) => {
  const directory = temporaryDirectory();
  writeFileSync(path.join(directory, 'secret_key'), '');

  const problems = problemsOf({ DATA_DIR: directory });

  t.deepEqual(problems, [
    `SECRET_KEY is empty in ${path.join(directory, 'secret_key')}: remove that file`,
  ]);
});

test('a private key comes from a file as well, and its public half from it', (t) => {
  const { pem, publicPem } = ec('P-256');
  const file = path.join(temporaryDirectory(), 'key.pem');
  writeFileSync(file, pem);

  const config = loadConfig({
    ...PRODUCTION,
    SIGNING_KEY: '',
    SIGNING_KEY_FILE: file,
    ALGORITHM: 'ES256',
  });

  t.is(config.SIGNING_KEY?.type, 'private');
  t.is(config.VERIFYING_KEY?.export({ type: 'spki', format: 'pem' }), publicPem);
});

for (const [text, value] of [
  ['true', true],
  ['TRUE', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['No', false],
  ['off', false],
] as const)
  test(`DOCS=${text} is ${value}`, (t) => {
    t.is(loadConfig({ DATA_DIR: temporaryDirectory(), DOCS: text }).DOCS, value);
  });

test('development makes its secrets once, for its owner only, and one for each algorithm', (t) => {
  const directory = temporaryDirectory();

  const [first, again] = [loadConfig({ DATA_DIR: directory }), loadConfig({ DATA_DIR: directory })];
  const other = loadConfig({ DATA_DIR: directory, ALGORITHM: 'ES256' });

  t.is(first.SECRET_KEY, again.SECRET_KEY);
  t.deepEqual(first.SIGNING_KEY?.export(), again.SIGNING_KEY?.export());
  t.is(other.SIGNING_KEY?.asymmetricKeyType, 'ec');
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

test('production refuses the directory of a development start, for its demo user', (t) => {
  const directory = temporaryDirectory();
  writeFileSync(path.join(directory, 'demo-password'), 'x');

  t.regex(
    problemsOf({ ...PRODUCTION, DATA_DIR: directory }).join(),
    /DATA_DIR holds the demo user/,
  );
  t.deepEqual(
    problemsOf({ ...PRODUCTION, DATA_DIR: directory, DATABASE_URL: 'postgres://db/latchkey' }),
    [],
  );
});

test('where a managed key signs, production needs no SIGNING_KEY, though it takes a strong one', (t) => {
  const KEYS_DIR = temporaryKeys(t);
  const env = { NODE_ENV: 'production', SECRET_KEY: STRONG, KEYS_DIR };
  add(KEYS_DIR);
  t.deepEqual(problemsOf(env), ['SIGNING_KEY is missing: production makes no secrets of its own']);

  addCurrent(KEYS_DIR);

  t.is(loadConfig({ ...env }).SIGNING_KEY, undefined);
  t.is(
    loadConfig({ ...env, SIGNING_KEY: OTHER })
      .SIGNING_KEY?.export()
      .toString(),
    OTHER,
  );
  t.deepEqual(problemsOf({ ...env, SIGNING_KEY: 'changeme' }), [
    'SIGNING_KEY is a well-known value: production needs a strong one',
  ]);
  t.deepEqual(problemsOf({ ...env, VERIFYING_KEY: ec('P-256').publicPem }), [
    'VERIFYING_KEY is set without SIGNING_KEY',
  ]);
});

test('keys that cannot be read are a problem among the others, and none follows from it', (t) => {
  const KEYS_DIR = temporaryKeys(t);
  const env = { NODE_ENV: 'production', SECRET_KEY: 'short', KEYS_DIR };

  t.deepEqual(problemsOf(env), [
    `KEYS_DIR cannot be used: ${KEYS_DIR}/keys.json is missing: \`keys add\` makes it`,
    'SECRET_KEY is shorter than 32 bytes: production needs a strong one',
  ]);
  const directory = temporaryDirectory();
  t.is(problemsOf({ KEYS_DIR, DATA_DIR: directory }).length, 1);
  t.deepEqual(readdirSync(directory), [], 'nothing was made');
});

test('a DATA_DIR that cannot be made is told by its own name', (t) => {
  const file = path.join(temporaryDirectory(), 'file');
  writeFileSync(file, '');

  t.deepEqual(problemsOf({ DATA_DIR: file }), [
    'DATA_DIR is no directory that can be made (EEXIST)',
  ]);
});
