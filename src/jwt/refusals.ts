import { AuthenticationFailed, DetailedAuthenticationFailed, InvalidToken } from '../errors.ts';

export const blacklisted = (): InvalidToken => new InvalidToken('Token is blacklisted');

/** The same of a token that was rotated away, whose use ends its session or is refused alone. */
export class ReusedToken extends InvalidToken {
  constructor() {
    super('Token is blacklisted');
  }
}

export const loginFailed = (): AuthenticationFailed =>
  new AuthenticationFailed('No active account found with the given credentials', {
    code: 'no_active_account',
  });

export const noActiveAccount = (): AuthenticationFailed =>
  new AuthenticationFailed('No active account found for the given token.', {
    code: 'no_active_account',
  });

// simplejwt tells this one without its list of messages, though with the code of a bad token.
export const noUserIdentification = (): AuthenticationFailed =>
  new DetailedAuthenticationFailed(
    'Token contained no recognizable user identification',
    'token_not_valid',
  );
