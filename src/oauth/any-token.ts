import type { Deps } from '../deps.ts';
import { InvalidToken } from '../errors.ts';
import { readUntypedToken } from '../jwt/claims.ts';
import type { ReadToken } from '../jwt/claims.ts';

/** A JWT that verifies. Undefined for one that does not, and for what is no JWT: an opaque token, or nothing of ours. */
export function readJwt(token: string, deps: Pick<Deps, 'config' | 'now'>): ReadToken | undefined {
  try {
    return readUntypedToken(token, deps);
  } catch (error) {
    if (error instanceof InvalidToken) return undefined;
    throw error;
  }
}
