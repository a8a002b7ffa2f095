import type { Authenticator } from '../contract.ts';
import { AuthenticationFailed, InvalidToken } from '../errors.ts';
import { authenticateAccessToken } from './tokens.ts';

/** simplejwt's JWTAuthentication: the keyword exactly as configured, exactly one word after it. */
export const authenticateJwt: Authenticator = async (authorization, deps) => {
  const [keyword, token, ...rest] = authorization.split(/[ \t]+/).filter(Boolean);
  if (keyword === undefined || !deps.config.AUTH_HEADER_TYPES.includes(keyword)) return null;
  if (token === undefined || rest.length > 0)
    throw new AuthenticationFailed('Authorization header must contain two space-delimited values', {
      code: 'bad_authorization_header',
    });
  try {
    return await authenticateAccessToken(token, deps);
  } catch (error) {
    throw error instanceof InvalidToken ? inHeader(error) : error;
  }
};

// simplejwt lists what each of its token classes has against a token.
function inHeader(error: InvalidToken): InvalidToken {
  return new InvalidToken('Given token not valid for any token type', {
    cause: error,
    messages: [{ token_class: 'AccessToken', token_type: 'access', message: error.detail }],
  });
}
