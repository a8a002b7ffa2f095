import { randomBytes } from 'node:crypto';
import test from 'ava';
import { ServiceUnavailable } from '../../src/errors.ts';
import { hashingSlots } from '../../src/users/bulkhead.ts';
import { hashPassword, pretendToVerify, verifyPassword } from '../../src/users/passwords.ts';

const config = { BCRYPT_ROUNDS: 4 };
const PASSWORD = 'pässwörd-✓ 42';

// Made by Django 5.2 from PASSWORD.
const BCRYPT_SHA256 = 'bcrypt_sha256$$2b$04$4EB5mRH9RyrjcjYySfaKMut9sjU2UtHEsUCsoOVQgpgQJRPujBILK';
const BCRYPT = 'bcrypt$$2b$04$TMWZ30fypiHs5yX9PK1S3ewjBq07R9dSnjFQkQHkacWK.b.nsODCi';
const BCRYPT_2A = 'bcrypt$$2a$04$s0Ibmh65uKA0T643v3nkxeoK4tkGZwJwbfALU8NR.2FhDFG0VBR5i';
const PBKDF2 = 'pbkdf2_sha256$1000$Zk3vQm81Tr5x$vi7kOwwiVb40UBSfniC9iS9ZqYFfJAifmLGX1ikr8zQ=';
const PBKDF2_SHA1 = 'pbkdf2_sha1$1000$Hq7wPz20Lb9n$v4blDTd7e2tzDRf7bvmKsUy+aOg=';
const SCRYPT_P1 =
  'scrypt$1024$Yb4nRk66Wc1d$8$1$RN9rVVI7Jjx6N27WQXe0b5aH/fRLyr2pVaTl3DC6pl/OTNmmVfMcX2fbBIpOFoGkSFBMKFAhd8YoaIhcr+hlXg==';
const SCRYPT_P5 =
  'scrypt$1024$Yb4nRk66Wc1d$8$5$4rRfrpa9VzMire+jnXZUoOw/gA1yXWMW+siOlC74Ki7ImysMZkbAsfuuRw/gG+AUx1zAVh857dqIec3LCCWUIQ==';
const ARGON2 =
  'argon2$argon2id$v=19$m=64,t=2,p=2$YWJjZGVmZ2hpamtsbW5vcDEyMzR4eQ$dh6OzKZTccdglNh7ERqsBhe30c5/Nr0kcH1/EHs/wqM';
const ARGON2_DEFAULTS =
  'argon2$argon2id$v=19$m=102400,t=2,p=8$YWJjZGVmZ2hpamtsbW5vcDEyMzR4eQ$aD4dMLlkrHM8NNBHcCX4vS8fP0p1XY5UCoBOw4MtTrU';

const current = { matches: true, outdated: false };
const old = { matches: true, outdated: true };
const refused = { matches: false, outdated: false };

// Tables are walked inside of tests, because tests run concurrently and the queue for hashing is short.
const DJANGO_HASHES = [
  ['bcrypt_sha256', BCRYPT_SHA256, current],
  ['bcrypt_sha256 by PHP', BCRYPT_SHA256.replace('$2b$', '$2y$'), current],
  ['bcrypt', BCRYPT, old],
  ['bcrypt $2a$', BCRYPT_2A, old],
  ['bcrypt $2y$', BCRYPT.replace('$2b$', '$2y$'), old],
  ['pbkdf2_sha256', PBKDF2, old],
  ['pbkdf2_sha1', PBKDF2_SHA1, old],
  ['scrypt with p=1', SCRYPT_P1, old],
  ['scrypt with p=5', SCRYPT_P5, old],
  ['argon2', ARGON2, old],
  ["argon2 with Django's cost", ARGON2_DEFAULTS, old],
] as const;

test('a hash that Django made with any of its algorithms is verified', async (t) => {
  for (const [name, encoded, expected] of DJANGO_HASHES) {
    t.deepEqual(await verifyPassword(PASSWORD, encoded, config), expected, name);
    t.deepEqual(await verifyPassword(`${PASSWORD} `, encoded, config), refused, name);
    t.deepEqual(await verifyPassword('', encoded, config), refused, name);
  }
});

const HASHED_AS_TYPED = [
  [
    'pbkdf2 with 260,000 iterations',
    'legacy-pass-1',
    'pbkdf2_sha256$260000$Zk3vQm81Tr5x$9eZ/inEHiXcTRhE/ln7xe2Ruk8HLR+zC4osySQSCCnE=',
  ],
  [
    'a decomposed password in pbkdf2',
    'zoe\u0308-geheim',
    'pbkdf2_sha256$1000$Zk3vQm81Tr5x$A/lFuXOgU/gsRItLx/Jl+nYXPtt804yorQd4z23vYk4=',
  ],
  [
    'a decomposed password in bcrypt_sha256',
    'zoe\u0308-geheim',
    'bcrypt_sha256$$2b$04$0x16Hhil6Cn6Sk1TrK4tK.kS3DNhUxitGjDGopnASRxFL.L69X3qu',
  ],
] as const;

test('a password that Django hashed as it was typed matches, and is outdated', async (t) => {
  for (const [name, password, encoded] of HASHED_AS_TYPED)
    t.deepEqual(await verifyPassword(password, encoded, config), old, name);
});

test('a hash of ours matches the password in every spelling of the same text', async (t) => {
  const encoded = await hashPassword('zoe\u0308 ﬁne №1', config);

  t.deepEqual(await verifyPassword('zoë fine No1', encoded, config), current);
  t.deepEqual(await verifyPassword('zoe\u0308 ﬁne №1', encoded, config), current);
});

test('a hash is written as Django writes it, with the configured cost', async (t) => {
  const encoded = await hashPassword('correct horse', { BCRYPT_ROUNDS: 5 });

  t.regex(encoded, /^bcrypt_sha256\$\$2b\$05\$[./A-Za-z0-9]{53}$/);
  t.not(encoded, await hashPassword('correct horse', { BCRYPT_ROUNDS: 5 }));
});

test('a hash of lower cost than configured is outdated, one of higher cost is not', async (t) => {
  const encoded = await hashPassword(PASSWORD, { BCRYPT_ROUNDS: 5 });

  t.deepEqual(await verifyPassword(PASSWORD, encoded, { BCRYPT_ROUNDS: 4 }), current);
  t.deepEqual(await verifyPassword(PASSWORD, encoded, { BCRYPT_ROUNDS: 5 }), current);
  t.deepEqual(await verifyPassword(PASSWORD, encoded, { BCRYPT_ROUNDS: 6 }), old);
});

test('what follows byte 72 counts', async (t) => {
  const prefix = 'é'.repeat(36);

  const encoded = await hashPassword(`${prefix}X`, config);

  t.deepEqual(await verifyPassword(`${prefix}X`, encoded, config), current);
  t.deepEqual(await verifyPassword(`${prefix}Y`, encoded, config), refused);
  t.deepEqual(await verifyPassword(prefix, encoded, config), refused);
});

test('a password with NUL or a lone surrogate matches nothing, not even its own hash', async (t) => {
  for (const password of ['pass\0word', '\ud800password', 'password\udfff', '\0']) {
    const encoded = await hashPassword(password, config);
    t.deepEqual(await verifyPassword(password, encoded, config), refused);
  }
  const replaced = await hashPassword('\ufffdpassword', config);
  t.deepEqual(await verifyPassword('\ud800password', replaced, config), refused);
});

const DIGEST_32 = 'vi7kOwwiVb40UBSfniC9iS9ZqYFfJAifmLGX1ikr8zQ=';
const DIGEST_64 = Buffer.alloc(64).toString('base64');
const BROKEN_HASHES = [
  '',
  '!',
  '!Cw0yKpXJ3Qh5nT8vZs1bRfLd7mGaUe2iYoH4tEkN',
  `!${BCRYPT_SHA256}`,
  'plaintext-by-mistake',
  PASSWORD,
  '$$$$$$$$$$',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99',
  BCRYPT_SHA256.slice(0, -1),
  `${BCRYPT_SHA256}x`,
  `${BCRYPT_SHA256}\n`,
  BCRYPT_SHA256.replace('$04$', '$03$'),
  BCRYPT_SHA256.replace('$04$', '$31$'),
  BCRYPT_SHA256.replace('$04$', '$99$'),
  BCRYPT_SHA256.replace('$2b$', '$2x$'),
  BCRYPT_SHA256.replace('bcrypt_sha256$', ''),
  BCRYPT_SHA256.replace('bcrypt_sha256', 'bcrypt'),
  PBKDF2.replace('$1000$', '$0$'),
  PBKDF2.replace('$1000$', '$-1$'),
  PBKDF2.replace('$1000$', '$1e3$'),
  PBKDF2.replace('$1000$', '$999999999$'),
  PBKDF2.replace('$1000$', `$${'9'.repeat(400)}$`),
  PBKDF2.replace('sha256', 'md5'),
  PBKDF2.replace('sha256', 'constructor'),
  PBKDF2.replace('Zk3vQm81Tr5x', ''),
  PBKDF2.replace(DIGEST_32, ''),
  PBKDF2.replace(DIGEST_32, 'AAAA'),
  PBKDF2.replace(DIGEST_32, ` ${DIGEST_32}`),
  PBKDF2_SHA1.replace('sha1', 'sha256'),
  `scrypt$3$salt$8$1$${DIGEST_64}`,
  `scrypt$1$salt$8$1$${DIGEST_64}`,
  `scrypt$1048576$salt$8$1$${DIGEST_64}`,
  `scrypt$1024$salt$9999$9999$${DIGEST_64}`,
  `scrypt$65536$salt$1$1$${DIGEST_64}`,
  `scrypt$1024$salt$8$${DIGEST_64}`,
  ARGON2.replace('argon2id', 'argon2x'),
  ARGON2.replace('m=64', 'm=1'),
  ARGON2.replace('m=64', 'm=999999999'),
  ARGON2.replace('t=2', 't=999999'),
  ARGON2.replace('p=2', 'p=0'),
  ARGON2.replace('v=19', 'v=16'),
  ARGON2.replace('$YWJj', '$*WJj'),
];

test('an unusable, broken or far too expensive hash never matches', async (t) => {
  for (const encoded of BROKEN_HASHES) {
    t.deepEqual(await verifyPassword(PASSWORD, encoded, config), refused, encoded);
    t.deepEqual(await verifyPassword('', encoded, config), refused, encoded);
    t.deepEqual(await verifyPassword(encoded, encoded, config), refused, encoded);
  }
});

/** The fastest of five runs of each, taken in turns, so that a busy machine slows all of them alike. */
async function fastest(works: (() => Promise<unknown>)[]): Promise<number[]> {
  const best = works.map(() => Infinity);
  for (let round = 0; round < 5; round += 1) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work();
      best[index] = Math.min(best[index] ?? Infinity, performance.now() - start);
    }
  }
  return best;
}

for (const [title, password] of [
  ['a wrong password takes as long for every kind of account', 'wrong'],
  ['a wrong password of two spellings takes as long for every kind of account', 'wroﬁng'],
] as const) {
  // Alone, for its neighbours would take the slots. Coarse and one-sided: a busy machine only adds time, and
  // what must not be is an account that is told by a check left out.
  test.serial(title, async (t) => {
    const cost = { BCRYPT_ROUNDS: 9 };
    const own = await hashPassword(PASSWORD, cost);
    const cheaper = await hashPassword(PASSWORD, { BCRYPT_ROUNDS: 7 });
    const kinds = [own, cheaper, BCRYPT, PBKDF2, SCRYPT_P5, ARGON2, '!unusable', 'broken'];

    const [expected = 0, ...others] = await fastest([
      ...kinds.map((encoded) => () => verifyPassword(password, encoded, cost)),
      () => pretendToVerify(password, cost),
    ]);

    for (const [index, actual] of others.entries())
      t.true(actual > expected * 0.4, `${kinds[index + 1]}: ${actual}, not ${expected}`);
  });
}

// Alone, for the slots and the queue are those of the process.
test.serial(
  'more checks than the queue holds are refused at once, and the others still run',
  async (t) => {
    const encoded = await hashPassword(PASSWORD, config);
    const capacity = 17 * hashingSlots();

    const results = await Promise.allSettled(
      Array.from({ length: capacity + 5 }, () => verifyPassword(PASSWORD, encoded, config)),
    );

    const refusals = results.filter((result) => result.status === 'rejected');
    t.is(refusals.length, 5);
    for (const { reason } of refusals) {
      t.true(reason instanceof ServiceUnavailable);
      t.is(reason.headers['Retry-After'], '1');
    }
    t.true(results.slice(0, capacity).every((result) => result.status === 'fulfilled'));
    t.deepEqual(await verifyPassword(PASSWORD, encoded, config), current);
  },
);

test('random bytes as a stored hash never match and never throw', async (t) => {
  for (let round = 0; round < 50; round += 1) {
    const noise = randomBytes(60).toString('latin1');
    t.deepEqual(await verifyPassword(PASSWORD, `pbkdf2_sha256$${noise}`, config), refused);
  }
});
