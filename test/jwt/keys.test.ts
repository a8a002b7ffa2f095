import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { promoteKey } from '../../src/commands/keys.ts';
import type { Algorithm, Config } from '../../src/config.ts';
import { InvalidToken } from '../../src/errors.ts';
import { decodeToken, signToken } from '../../src/jwt/codec.ts';
import { keyring, replaceKeyring } from '../../src/jwt/keys.ts';
import { readKeys } from '../../src/key-directory.ts';
import { newSigningKey } from '../../src/secrets.ts';
import { startApp } from '../support/app.ts';
import { testConfig } from '../support/config.ts';
import { createUser, logIn } from '../support/factories.ts';
import { add, addCurrent, keyDeps, temporaryDirectory } from '../support/keys.ts';
import { startWithoutDatabase } from '../http/shell.ts';
import { forgeToken, textsOf } from './forge.ts';

function kidOf(algorithm: Algorithm, jwk: JsonWebKey): string | undefined {
  const VERIFYING_KEY = createPublicKey({ key: jwk, format: 'jwk' });
  const config = testConfig({ ALGORITHM: algorithm, SIGNING_KEY: newSigningKey(algorithm) });
  return keyring({ ...config, VERIFYING_KEY }).kid;
}

test('the kid of an RSA key is the thumbprint that RFC 7638, 3.1 computes for its example', (t) => {
  const kid = kidOf('RS256', {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  });

  t.is(kid, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('the kid of a P-256 key is the thumbprint that RFC 9449, 6.1 prints for its example', (t) => {
  const kid = kidOf('ES256', {
    kty: 'EC',
    x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
    y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    crv: 'P-256',
  });

  t.is(kid, '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I');
});

test('a shared secret has no kid', (t) => {
  t.is(keyring(testConfig()).kid, undefined);
});

const CLAIMS = { token_type: 'access', exp: 4_000_000_000, iat: 1_795_435_200, jti: 'a' };
const ALGORITHMS = ['HS256', 'HS384', 'HS512', 'RS256', 'ES256'] as const;

function isAccepted(token: string, config: Config): boolean {
  try {
    decodeToken(token, { config, now: () => new Date(1_795_435_200_000) });
    return true;
  } catch (error) {
    if (error instanceof InvalidToken) return false;
    throw error;
  }
}

/** A file with a key of another system. */
function legacyFile(t: ExecutionContext, text: string): string {
  const file = path.join(temporaryDirectory(t), 'legacy');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

for (const algorithm of ALGORITHMS)
  test(`the current ${algorithm} key signs, by name, and its tokens say so in one way only`, (t) => {
    const directory = temporaryDirectory(t);
    const { kid } = addCurrent(directory, { algorithm });
    const config = testConfig({ KEYS_DIR: directory });
    const token = signToken(CLAIMS, config);
    const other = algorithm === 'HS256' ? 'HS384' : 'HS256';

    t.is(textsOf(token)[0], JSON.stringify({ alg: algorithm, typ: 'JWT', kid }));
    t.true(isAccepted(token, config));
    for (const header of [
      { alg: algorithm, typ: 'JWT' },
      { typ: 'JWT', alg: algorithm },
      { alg: algorithm, kid, typ: 'JWT' },
      { kid, alg: algorithm, typ: 'JWT' },
      { alg: other, typ: 'JWT', kid },
      { alg: 'none', typ: 'JWT', kid },
      { alg: algorithm, typ: 'JWT', kid: `${kid} ` },
      { alg: algorithm, typ: 'JWT', kid: kid.toUpperCase() },
      { alg: algorithm, typ: 'JWT', kid: [kid] },
      { alg: algorithm, typ: 'JWT', kid: `../${kid}` },
      { alg: algorithm, typ: 'JWT', kid, jku: 'https://attacker.example' },
    ]) {
      const text = JSON.stringify(header);
      t.false(isAccepted(forgeToken(text, JSON.stringify(CLAIMS), config), config), text);
    }
  });

test('SIGNING_KEY signs until a key is promoted, and only verifies from then on', (t) => {
  const directory = temporaryDirectory(t);
  const { kid } = add(directory);
  const config = testConfig({ KEYS_DIR: directory });
  const token = signToken(CLAIMS, config);
  t.is(textsOf(token)[0], '{"alg":"HS256","typ":"JWT"}');

  promoteKey({ force: true }, keyDeps(directory));
  replaceKeyring(config, readKeys(directory));

  t.is(textsOf(signToken(CLAIMS, config))[0], `{"alg":"ES256","typ":"JWT","kid":"${kid}"}`);
  t.true(isAccepted(token, config));
});

test('a key that is next verifies before it signs, and one that retires after it signed', (t) => {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  const before = testConfig({ KEYS_DIR: directory });
  const old = signToken(CLAIMS, before);
  add(directory);
  replaceKeyring(before, readKeys(directory));

  promoteKey({ force: true }, keyDeps(directory));
  const after = testConfig({ KEYS_DIR: directory });

  t.true(isAccepted(signToken(CLAIMS, after), before), 'by a replica that has not taken notice');
  t.true(isAccepted(old, after));
});

for (const algorithm of ALGORITHMS)
  test(`${algorithm} tokens of another system are good, in both orders of their header`, (t) => {
    const SIGNING_KEY = newSigningKey(algorithm);
    const elsewhere = testConfig({ ALGORITHM: algorithm, SIGNING_KEY });
    const directory = temporaryDirectory(t);
    add(directory, { algorithm, verifyOnly: true, file: legacyFile(t, SIGNING_KEY) });
    const config = testConfig({ KEYS_DIR: directory });

    for (const header of [
      `{"alg":"${algorithm}","typ":"JWT"}`,
      `{"typ":"JWT","alg":"${algorithm}"}`,
    ])
      t.true(isAccepted(forgeToken(header, JSON.stringify(CLAIMS), elsewhere), config), header);
    t.true(isAccepted(signToken(CLAIMS, elsewhere), config));
    t.deepEqual(keyring(config).published, []);
    t.is(config.SIGNING_KEY, keyring(config).signing);
  });

test('where two keys share a header text, a token of either is good, and of a third is not', (t) => {
  const directory = temporaryDirectory(t);
  const secrets = [newSigningKey('HS256'), newSigningKey('HS256'), newSigningKey('HS256')];
  const [first, second, third] = secrets.map((SIGNING_KEY) => testConfig({ SIGNING_KEY }));
  for (const secret of secrets.slice(0, 2))
    add(directory, { algorithm: 'HS256', verifyOnly: true, file: legacyFile(t, secret) });
  const config = testConfig({ KEYS_DIR: directory });

  const verdicts = [config, first, second, third].map(
    (by) => by && isAccepted(signToken(CLAIMS, by), config),
  );

  t.deepEqual(verdicts, [true, true, true, false]);
});

test('the public keys of all our tokens are published, and of no other', async (t) => {
  const directory = temporaryDirectory(t);
  const retiring = addCurrent(directory, { algorithm: 'RS256' });
  const current = addCurrent(directory);
  const next = add(directory);
  add(directory, { algorithm: 'HS256' });
  const legacy = legacyFile(t, newSigningKey('ES256'));
  add(directory, { verifyOnly: true, file: legacy });
  const SIGNING_KEY = newSigningKey('ES256');
  const settings = { KEYS_DIR: directory, ALGORITHM: 'ES256', SIGNING_KEY };
  const { client, deps } = await startWithoutDatabase(t, settings);

  const { status, headers, body } = await client.get('/.well-known/jwks.json');

  t.is(status, 200);
  t.is(headers.get('cache-control'), 'public, max-age=300');
  const { keys } = body as { keys: Record<string, unknown>[] }; // the contract was checked by the client
  const { kid } = keyring(testConfig({ ALGORITHM: 'ES256', SIGNING_KEY }));
  t.deepEqual(
    keys.map((jwk) => [jwk.kid, jwk.alg, Object.keys(jwk).toSorted().join()]),
    [
      [retiring.kid, 'RS256', 'alg,e,kid,kty,n,use'],
      [current.kid, 'ES256', 'alg,crv,kid,kty,use,x,y'],
      [next.kid, 'ES256', 'alg,crv,kid,kty,use,x,y'],
      [kid, 'ES256', 'alg,crv,kid,kty,use,x,y'],
    ],
  );
  t.is(deps.config.managedKeys.length, 5);
});

test('a key that is in the directory and in SIGNING_KEY is published once', (t) => {
  const directory = temporaryDirectory(t);
  const SIGNING_KEY = newSigningKey('RS256');
  const { kid } = addCurrent(directory, { algorithm: 'RS256', file: legacyFile(t, SIGNING_KEY) });

  const ring = keyring(testConfig({ KEYS_DIR: directory, ALGORITHM: 'RS256', SIGNING_KEY }));

  t.deepEqual(
    ring.published.map((jwk) => jwk.kid),
    [kid],
  );
  t.deepEqual(
    [...ring.byHeader.values()].map((candidates) => candidates.length),
    [1, 1, 1],
  );
});

test('nothing is published of a shared secret', async (t) => {
  const directory = temporaryDirectory(t);
  addCurrent(directory, { algorithm: 'HS256' });
  const { client } = await startWithoutDatabase(t, { KEYS_DIR: directory });

  t.deepEqual((await client.get('/.well-known/jwks.json')).body, { keys: [] });
});

test('the list of keys is for anybody, whatever credentials are shown', async (t) => {
  const { client } = await startWithoutDatabase(t);

  for (const authorization of ['Token x', 'Bearer x.y.z'])
    t.is((await client.get('/.well-known/jwks.json', { authorization })).status, 200);
  t.is((await client.post('/.well-known/jwks.json')).status, 405);
  t.is((await client.get('/.well-known/jwks.json/')).status, 404);
  t.is((await client.get('/.well-known/jwksXjson')).status, 404);
});

for (const [algorithm, dsaEncoding] of [
  ['RS256', 'der'],
  ['ES256', 'ieee-p1363'],
] as const)
  test(`an ${algorithm} token verifies with nothing but the published key`, async (t) => {
    const directory = temporaryDirectory(t);
    addCurrent(directory, { algorithm });
    const app = await startApp(t, { KEYS_DIR: directory });
    const { access } = await logIn(app, await createUser(app));
    const { body } = await app.client.get('/.well-known/jwks.json');
    const { keys } = body as { keys: JsonWebKey[] }; // the contract was checked by the client
    const [header = '', payload = '', signature = ''] = access.split('.');

    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const jwk = keys.find((one) => one.kid === kid) ?? {};
    const key = createPublicKey({ key: jwk, format: 'jwk' });

    const bytes = Buffer.from(signature, 'base64url');
    t.true(verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding }, bytes));
  });
