import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Algorithm, Config } from '../config.ts';

export interface VerificationKey {
  key: KeyObject;
  algorithm: Algorithm;
}

export interface Keyring {
  signing: KeyObject;
  algorithm: Algorithm;
  /** RFC 7638 thumbprint of the public key; undefined for a shared secret. */
  kid: string | undefined;
  /** Header texts as they stand in a token (base64url) -> the one key and algorithm they stand for. */
  byHeader: ReadonlyMap<string, VerificationKey>;
}

const keyrings = new WeakMap<Config, Keyring>();

export function keyring(config: Config): Keyring {
  let known = keyrings.get(config);
  if (!known) {
    known = buildKeyring(config);
    keyrings.set(config, known);
  }
  return known;
}

// A header is compared as text with those that we or PyJWT write for this key. Nothing in a header of
// the caller's making is ever parsed: `none`, `kid`, `jku`, `jwk` and `crit` have no code to reach.
function buildKeyring({ ALGORITHM: alg, SIGNING_KEY, VERIFYING_KEY }: Config): Keyring {
  const kid = VERIFYING_KEY.type === 'secret' ? undefined : thumbprint(VERIFYING_KEY);
  const headers = [
    { alg, typ: 'JWT' },
    { typ: 'JWT', alg },
    ...(kid === undefined ? [] : [{ alg, typ: 'JWT', kid }]),
  ];
  const verification: VerificationKey = { key: VERIFYING_KEY, algorithm: alg };
  const byHeader = new Map(
    headers.map((header) => [
      Buffer.from(JSON.stringify(header)).toString('base64url'),
      verification,
    ]),
  );
  return { signing: SIGNING_KEY, algorithm: alg, kid, byHeader };
}

// RFC 7638, 3.2: the required members alone, in lexicographic order.
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
