import type { Authenticator } from '../contract.ts';
import { DetailedAuthenticationFailed, InvalidToken } from '../errors.ts';
import type { TokenFailure } from '../errors.ts';
import { authenticateJwtOf } from './tokens.ts';

/** simplejwt's JWTAuthentication: the keyword exactly as configured, exactly one word after it. */
export const authenticateJwt: Authenticator = async ({ keyword, words }, deps) => {
  if (!deps.config.AUTH_HEADER_TYPES.includes(keyword)) return null;
  const [token] = words;
  if (token === undefined || words.length > 1)
    throw new DetailedAuthenticationFailed(
      'Authorization header must contain two space-delimited values',
      'bad_authorization_header',
    );
  const messages: TokenFailure[] = [];
  for (const token_class of deps.config.AUTH_TOKEN_CLASSES) {
    const token_type = TOKEN_TYPES[token_class];
    try {
      return await authenticateJwtOf(token_type, token, deps);
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error;
      messages.push({ token_class, token_type, message: error.detail });
    }
  }
  // simplejwt lists what each of its token classes has against a token.
  throw new InvalidToken('Given token not valid for any token type', { messages });
};

/** simplejwt's classes of the tokens that the header may hold, and what such a token says of itself. */
export const TOKEN_TYPES = { AccessToken: 'access', SlidingToken: 'sliding' } as const;
