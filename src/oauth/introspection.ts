import { findTokenOwner } from '../authtoken/repository.ts';
import { digestOf } from '../authtoken/tokens.ts';
import type { OperationResponse } from '../contract.ts';
import type { RequestDeps } from '../deps.ts';
import { TOKEN_TYPES } from '../jwt/authentication.ts';
import type { ReadToken } from '../jwt/claims.ts';
import { standingOf } from '../jwt/standing.ts';
import { readJwt } from './any-token.ts';

type Introspection = Extract<OperationResponse<'introspectToken'>, { status: 200 }>['body'];

// Of a token that is not active nothing may be told, not even why (RFC 7662, 2.2).
const INACTIVE: Introspection = { active: false };

/** What a token of any kind is worth (RFC 7662). */
export async function introspect(token: string, deps: RequestDeps): Promise<Introspection> {
  const read = readJwt(token, deps);
  return read ? introspectJwt(read, deps) : introspectOpaque(token, deps);
}

async function introspectJwt(read: ReadToken, deps: RequestDeps): Promise<Introspection> {
  const { [deps.config.TOKEN_TYPE_CLAIM]: type } = read.claims;
  if (!isTaken(type, deps.config)) return INACTIVE;
  const standing = await standingOf(read, deps);
  if (standing.state !== 'active') return INACTIVE;
  const { id, username } = standing.user;
  return { active: true, token_type: type, username, sub: String(id), ...toldClaims(read) };
}

/** Of the types that go into a header, AUTH_TOKEN_CLASSES may leave one out, AUTHENTICATION_SCHEMES all. */
function isTaken(type: unknown, config: RequestDeps['config']): type is string {
  if (type === 'refresh') return true;
  const isOfClass = config.AUTH_TOKEN_CLASSES.some((name) => TOKEN_TYPES[name] === type);
  return isOfClass && config.AUTHENTICATION_SCHEMES.includes('bearerJWT');
}

// Only exp and jti are in every token that verifies, and of what form the others are was nobody's business so far.
function toldClaims({ claims, exp, jti, familyId }: ReadToken): Omit<Introspection, 'active'> {
  const { iat, iss, aud } = claims;
  return {
    exp: Math.floor(exp),
    ...(iat !== undefined && { iat: Math.floor(iat) }),
    jti,
    ...(familyId !== undefined && { sid: familyId }),
    ...(typeof iss === 'string' && { iss }),
    ...(isAudience(aud) && { aud }),
  };
}

function isAudience(aud: unknown): aud is string | string[] {
  return [aud].flat().every((name) => typeof name === 'string');
}

async function introspectOpaque(
  token: string,
  { config, db }: RequestDeps,
): Promise<Introspection> {
  if (!config.AUTHENTICATION_SCHEMES.includes('tokenAuth')) return INACTIVE;
  const user = await findTokenOwner(digestOf(token), db);
  if (!user?.is_active) return INACTIVE;
  const { id, username } = user;
  return { active: true, token_type: 'opaque', username, sub: String(id) };
}
