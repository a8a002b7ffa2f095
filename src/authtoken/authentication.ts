import { isUtf8 } from 'node:buffer';
import type { Authenticator } from '../contract.ts';
import { AuthenticationFailed } from '../errors.ts';
import { findTokenOwner } from './repository.ts';
import { digestOf } from './tokens.ts';

/** DRF's TokenAuthentication: the keyword in any case, exactly one word after it. */
export const authenticateToken: Authenticator = async (authorization, { db }) => {
  const [keyword, token, ...rest] = authorization.split(/[ \t]+/).filter(Boolean);
  if (keyword?.toLowerCase() !== 'token') return null;
  if (token === undefined)
    throw new AuthenticationFailed('Invalid token header. No credentials provided.');
  if (rest.length > 0)
    throw new AuthenticationFailed('Invalid token header. Token string should not contain spaces.');
  // Node hands header bytes over as Latin-1.
  if (!isUtf8(Buffer.from(token, 'latin1')))
    throw new AuthenticationFailed(
      'Invalid token header. Token string should not contain invalid characters.',
    );

  const user = await findTokenOwner(digestOf(token), db);
  if (!user) throw new AuthenticationFailed('Invalid token.');
  if (!user.is_active) throw new AuthenticationFailed('User inactive or deleted.');
  return { user };
};
