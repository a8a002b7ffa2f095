import type { Handler } from '../contract.ts';
import { ValidationError } from '../errors.ts';
import { authenticateCredentials } from '../users/authenticate.ts';
import { getOrCreateToken } from './tokens.ts';

export const obtainAuthToken: Handler<'obtainAuthToken'> = async ({ body }, deps) => {
  const user = await authenticateCredentials(body, deps);
  if (!user)
    throw new ValidationError({
      non_field_errors: ['Unable to log in with provided credentials.'],
    });
  return { status: 200, body: { token: await getOrCreateToken(user.id, deps) } };
};
