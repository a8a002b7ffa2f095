import { isUtf8 } from 'node:buffer';
import type { Authenticator } from '../contract.ts';
import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { AuthenticationFailed } from '../errors.ts';
import { findAccount } from '../users/account.ts';
import { findTokenOwner } from './repository.ts';
import { digestOf } from './tokens.ts';

/** DRF's TokenAuthentication: the keyword in any case, exactly one word after it. */
export const authenticateToken: Authenticator = async ({ keyword, words }, deps) => {
  if (keyword.toLowerCase() !== 'token') return null;
  const [token] = words;
  if (token === undefined)
    throw new AuthenticationFailed('Invalid token header. No credentials provided.');
  if (words.length > 1)
    throw new AuthenticationFailed('Invalid token header. Token string should not contain spaces.');
  // Node hands header bytes over as Latin-1.
  if (!isUtf8(Buffer.from(token, 'latin1')))
    throw new AuthenticationFailed(
      'Invalid token header. Token string should not contain invalid characters.',
    );

  const user = await findOwner(digestOf(token), deps);
  if (!user) throw new AuthenticationFailed('Invalid token.');
  if (!user.is_active) throw new AuthenticationFailed('User inactive or deleted.');
  return { user };
};

// Whose a token is and what the account is like end apart from each other, so they are remembered apart.
async function findOwner(digest: Buffer, deps: RequestDeps): Promise<Account | undefined> {
  const { db, live } = deps;
  if (!live.isFresh()) return findTokenOwner(digest, db);
  const owner = await live.remember('token', digest.toString('hex'), async () => {
    const user = await findTokenOwner(digest, db);
    return user && { id: user.id };
  });
  return owner && findAccount(owner.id, deps);
}
