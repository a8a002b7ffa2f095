import { createHmac, randomUUID, sign } from 'node:crypto';
import type { Config } from '../../src/config.ts';
import { signToken } from '../../src/jwt/codec.ts';
import type { Claims } from '../../src/jwt/codec.ts';
import { keyring } from '../../src/jwt/keys.ts';
import type { TestApp } from '../support/app.ts';

/** A token of any header and payload, rightly signed with the current key of `config`. */
export function forgeToken(header: string, payload: string | Buffer, config: Config): string {
  return withSignature(`${encode(header)}.${encode(payload)}`, config);
}

/** The first two parts of a token, whatever they are, and the right signature of them. */
export function withSignature(data: string, config: Config): string {
  const { algorithm, signing: key } = keyring(config);
  const hash = `sha${algorithm.slice(2)}`;
  const signature = algorithm.startsWith('HS')
    ? createHmac(hash, key).update(data).digest()
    : sign(hash, Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' });
  return `${data}.${encode(signature)}`;
}

export const encode = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** Header and payload of a token, as the texts that were signed. */
export function textsOf(token: string): string[] {
  const parts = token.split('.').slice(0, 2);
  return parts.map((part) => Buffer.from(part, 'base64url').toString());
}

export function claimsOf(token: string): Claims {
  return JSON.parse(textsOf(token)[1] ?? '') as Claims;
}

interface OfConfig {
  deps: { config: Config };
}

/** The same token with other claims; a claim that is undefined is left out. */
export function withClaims(token: string, changes: Claims, { deps: { config } }: OfConfig): string {
  const [header = ''] = textsOf(token);
  return forgeToken(header, JSON.stringify({ ...claimsOf(token), ...changes }), config);
}

/** A refresh token as simplejwt issues it: of no family. */
export function legacyToken({ deps, clock }: TestApp, claims: Claims): string {
  const iat = Math.floor(clock.now().getTime() / 1000);
  const jti = randomUUID().replaceAll('-', '');
  return signToken({ token_type: 'refresh', exp: iat + 86_400, iat, jti, ...claims }, deps.config);
}
