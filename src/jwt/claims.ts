import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { Config } from '../config.ts';
import type { Account } from '../db.ts';
import type { Deps, RequestDeps } from '../deps.ts';
import { InvalidToken } from '../errors.ts';
import { decodeToken, signToken } from './codec.ts';
import type { Claims } from './codec.ts';

type TokenType = 'access' | 'refresh' | 'sliding';

/** What differs from one token of a session to the next; times are seconds. */
export interface TokenTimes {
  jti: string;
  iat: number;
  exp: number;
}

/** A verified token. `familyId` is missing where simplejwt issued it. */
export interface ReadToken {
  claims: Claims;
  jti: string;
  exp: number;
  /** Without the claim: 1970, which is before everything. */
  iat: number;
  familyId: string | undefined;
  /** The user's `token_version` when it was issued; undefined where we did not issue it. */
  version: number | undefined;
}

export const toSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
export const toDate = (seconds: number): Date => new Date(seconds * 1000);

// Time-ordered, as the family's id is, and in simplejwt's form: 32 hexadecimal digits.
export function newTimes(lifetime: number, now: Date): TokenTimes {
  const iat = toSeconds(now);
  return { jti: uuidv7({ msecs: now.getTime() }).replaceAll('-', ''), iat, exp: iat + lifetime };
}

/**
 * Signs a token of `type` that carries on all `claims` except those that belong to one token alone
 * (simplejwt's no_copy_claims).
 */
export function issueToken(
  type: TokenType,
  claims: Claims,
  { jti, iat, exp }: TokenTimes,
  config: Config,
): string {
  const { TOKEN_TYPE_CLAIM, JTI_CLAIM } = config;
  const { [TOKEN_TYPE_CLAIM]: _type, [JTI_CLAIM]: _jti, exp: _exp, iat: _iat, ...carried } = claims;
  return signToken({ [TOKEN_TYPE_CLAIM]: type, exp, iat, [JTI_CLAIM]: jti, ...carried }, config);
}

/** Throws InvalidToken for what is no valid token, or one of another type. */
export function readToken(
  token: string,
  type: TokenType,
  deps: Pick<Deps, 'config' | 'now'>,
): ReadToken {
  const read = readUntypedToken(token, deps);
  const { [deps.config.TOKEN_TYPE_CLAIM]: actual } = read.claims;
  if (actual === undefined) throw new InvalidToken('Token has no type');
  if (actual !== type) throw new InvalidToken('Token has wrong type');
  return read;
}

/** simplejwt's UntypedToken: a token of whatever type. */
export function readUntypedToken(token: string, deps: Pick<Deps, 'config' | 'now'>): ReadToken {
  const claims = decodeToken(token, deps);
  const { exp, iat = 0, sid, token_version, [deps.config.JTI_CLAIM]: jti } = claims;
  if (typeof exp !== 'number') throw new InvalidToken("Token has no 'exp' claim");
  if (typeof jti !== 'string') throw new InvalidToken('Token has no id');
  const version = typeof token_version === 'number' ? token_version : undefined;
  if (sid === undefined) return { claims, jti, exp, iat, version, familyId: undefined };
  if (!isFamilyId(sid)) throw new InvalidToken('Token is invalid');
  return { claims, jti, exp, iat, version, familyId: sid };
}

// In PostgreSQL's spelling: memory knows an ended session by its text, and one in capitals would not be it.
function isFamilyId(sid: unknown): sid is string {
  return typeof sid === 'string' && isUuid(sid) && sid === sid.toLowerCase();
}

/** Text since simplejwt 5.5.1, a number before. One spelling per id: no sign, no leading zero, no space. */
export function userIdOf(claims: Claims, { USER_ID_CLAIM }: Config): number | undefined {
  const value = claims[USER_ID_CLAIM];
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const id = /^[1-9]\d{0,9}$/.test(String(value)) ? Number(value) : 0;
  return id > 0 && id <= 2_147_483_647 ? id : undefined;
}

/** What every token of a session says, with the claims of the deployment's own as they are now. */
export function sessionClaims(user: Account, sid: string, deps: RequestDeps): Claims {
  const { id, token_version } = user;
  return { ...ownClaims(user, deps), [deps.config.USER_ID_CLAIM]: String(id), sid, token_version };
}

/**
 * The claims of what comes from a refresh token. Ours are made anew at each refresh, so that none goes stale;
 * of a token that simplejwt issued all are carried on, as simplejwt does.
 */
export function carriedClaims(
  { claims, familyId }: ReadToken,
  user: Account,
  sid: string | undefined,
  deps: RequestDeps,
): Claims {
  if (familyId !== undefined) return sessionClaims(user, familyId, deps);
  const { token_version } = user;
  // Who issues our tokens, and for whom, no token of another system says.
  const { iss: _iss, aud: _aud, ...others } = claims;
  return { ...others, ...ownClaims(user, deps), ...(sid !== undefined && { sid, token_version }) };
}

const ownClaims = (user: Account, { config, customClaims }: RequestDeps): Claims => ({
  ...config.CUSTOM_CLAIMS,
  ...customClaims?.(user),
});
