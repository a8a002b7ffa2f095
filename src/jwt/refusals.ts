import { AuthenticationFailed, InvalidToken } from '../errors.ts';

export const blacklisted = (): InvalidToken => new InvalidToken('Token is blacklisted');

export const noActiveAccount = (): AuthenticationFailed =>
  new AuthenticationFailed('No active account found for the given token.');

// simplejwt tells this one without its list of messages, though with the code of a bad token.
export const noUserIdentification = (): AuthenticationFailed =>
  new AuthenticationFailed('Token contained no recognizable user identification', {
    code: 'token_not_valid',
  });
