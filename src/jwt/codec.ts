import { hash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { InvalidToken, ServiceUnavailable } from '../errors.ts';
import { isStorable } from '../text.ts';
import { keysAreHealthy } from './key-watch.ts';
import { keyring } from './keys.ts';
import type { Keyring, VerificationKey } from './keys.ts';

export const EXPIRED = 'Token is expired';

/** The payload of a verified token. `exp`, `iat`, `nbf` are seconds. */
export interface Claims {
  readonly [name: string]: unknown;
  readonly exp?: number;
  readonly iat?: number;
}

const MAX_TOKEN_LENGTH = 4096;
// The last second of the year 9999, beyond which neither Django nor PostgreSQL prints a date as ISO 8601.
export const MAX_NUMERIC_DATE = 253_402_300_799;
// The first second of the year 1, before which Python has no dates, and PostgreSQL soon none either.
const MIN_NUMERIC_DATE = -62_135_596_800;

/** Throws where the claims are so many that nobody, we included, would take the token. */
export function signToken(claims: Claims, config: Config): string {
  const { signing, algorithm, kid } = keyring(config);
  const { AUDIENCE: aud, ISSUER: iss } = config;
  const payload = {
    ...claims,
    ...(aud !== undefined && { aud }),
    ...(iss !== undefined && { iss }),
  };
  // As text: of an object jsonwebtoken looks up each claim in a table where `constructor` finds Object's.
  const token = jwt.sign(JSON.stringify(payload), signing, {
    algorithm,
    header: { alg: algorithm, typ: 'JWT', ...(kid !== undefined && { kid }) },
  });
  if (token.length > MAX_TOKEN_LENGTH)
    throw new Error(`a token of ${token.length} characters: its own claims are too large`);
  return token;
}

/**
 * Checks form, signature and the registered claims (RFC 7519, 4.1), in PyJWT's order.
 * Throws InvalidToken with `Token is invalid`, or `Token is expired` if only `exp` fails.
 */
export function decodeToken(token: string, { config, now }: Pick<Deps, 'config' | 'now'>): Claims {
  if (token.length > MAX_TOKEN_LENGTH) throw invalid();
  const known = verifiedWith(keyring(config));
  // Never by the token itself: what holds a dump of memory together is to be worth nothing.
  const digest = hash('sha256', token, 'base64');
  const remembered = known.get(digest);
  const claims = remembered ?? verifiedPayload(token, config);
  try {
    refuseUntimely(claims, now().getTime() / 1000, config);
  } catch (error) {
    known.delete(digest);
    throw error;
  }
  if (!remembered) known.set(digest, claims, { size: token.length });
  return claims;
}

// What a signature was found good for stays so as long as the keys do. Only what was signed by one of them comes in,
// and only what has not expired stays; whether it was revoked is asked at each use.
const verified = new WeakMap<Keyring, LRUCache<string, Claims>>();
const MAX_VERIFIED_LENGTH = 8 * 2 ** 20;

function verifiedWith(keys: Keyring): LRUCache<string, Claims> {
  let known = verified.get(keys);
  if (!known) {
    known = new LRUCache({ maxSize: MAX_VERIFIED_LENGTH });
    verified.set(keys, known);
  }
  return known;
}

function refuseUntimely(claims: Claims, seconds: number, config: Config): void {
  for (const name of ['iat', 'nbf', 'exp']) {
    if (Object.hasOwn(claims, name) && !isNumericDate(claims[name])) throw invalid();
  }
  const { iat, nbf, exp } = claims;
  if (typeof iat === 'number' && iat > seconds + config.LEEWAY) throw invalid();
  if (typeof nbf === 'number' && nbf > seconds + config.LEEWAY) throw invalid();
  if (typeof exp === 'number' && Math.floor(exp) <= seconds - config.LEEWAY)
    throw new InvalidToken(EXPIRED);
  if (Object.hasOwn(claims, 'sub') && typeof claims.sub !== 'string') throw invalid();
  if (Object.hasOwn(claims, config.JTI_CLAIM) && !isTokenId(claims[config.JTI_CLAIM]))
    throw invalid();
}

function verifiedPayload(token: string, config: Config): Claims {
  const [header = '', payload = '', signature = '', ...rest] = token.split('.');
  const candidates = keyring(config).byHeader.get(header);
  // It may be of a key that we cannot read: that is our illness, and no verdict on the token.
  if (!candidates && !keysAreHealthy(config)) throw new ServiceUnavailable();
  if (!candidates || rest.length > 0) throw invalid();
  if (!isCanonicalBase64url(payload) || !isCanonicalBase64url(signature)) throw invalid();
  try {
    requireSignature(token, candidates, config);
    return parsePayload(Buffer.from(payload, 'base64url'));
  } catch (error) {
    // jsonwebtoken throws plain TypeError and SyntaxError on hostile input.
    throw invalid(error);
  }
}

// Several keys where a header names none of them: that of the settings, and those of other systems.
function requireSignature(
  token: string,
  candidates: readonly VerificationKey[],
  { AUDIENCE: audience, ISSUER: issuer }: Config,
): void {
  let refusal: unknown;
  for (const { key, algorithm } of candidates)
    try {
      jwt.verify(token, key, {
        algorithms: [algorithm],
        // Our own checks are stricter: jsonwebtoken neither minds an iat ahead nor an exp as text.
        ignoreExpiration: true,
        ignoreNotBefore: true,
        ...(audience !== undefined && { audience }),
        ...(issuer !== undefined && { issuer }),
      });
      return;
    } catch (error) {
      refusal = error;
    }
  throw refusal;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// One payload, one text: no member twice, no `1e400`, no white space, whatever a parser makes of them.
// Python's json escapes all beyond ASCII, so that spelling of the same text is honoured too.
function parsePayload(bytes: Buffer): Claims {
  const text = decoder.decode(bytes);
  const claims: unknown = JSON.parse(text);
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw new TypeError('the payload is no object');
  const canonical = JSON.stringify(claims);
  if (text !== canonical && text !== escapeNonAscii(canonical))
    throw new TypeError('the payload has a second spelling');
  return claims as Claims; // members are `unknown`, and decodeToken checks the two that are not
}

function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isCanonicalBase64url(text: string): boolean {
  return text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;
}

function isNumericDate(value: unknown): boolean {
  return typeof value === 'number' && value <= MAX_NUMERIC_DATE && value >= MIN_NUMERIC_DATE;
}

function isTokenId(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= 255 && isStorable(value);
}

function invalid(cause?: unknown): InvalidToken {
  return new InvalidToken('Token is invalid', { cause });
}
