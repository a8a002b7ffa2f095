import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import test from 'ava';
import type { Algorithm } from '../../src/config.ts';
import { keyring } from '../../src/jwt/keys.ts';
import { newSigningKey } from '../../src/secrets.ts';
import { testConfig } from '../support/config.ts';

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
