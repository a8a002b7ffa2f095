import type { Handler } from '../contract.ts';
import { AuthenticationFailed, ValidationError } from '../errors.ts';
import { authenticateCredentials } from '../users/authenticate.ts';
import { deleteSealedToken } from './repository.ts';
import { obtainToken, rotateToken } from './tokens.ts';

export const obtainAuthToken: Handler<'obtainAuthToken'> = async ({ body, client }, deps) => {
  const user = await authenticateCredentials(body, client, deps);
  const token = user && (await obtainToken(user, deps));
  if (!token)
    throw new ValidationError({
      non_field_errors: [
        { detail: 'Unable to log in with provided credentials.', code: 'authorization' },
      ],
    });
  return { status: 200, body: { token } };
};

export const destroyAuthToken: Handler<'destroyAuthToken'> = async ({ user }, { db, live }) => {
  await deleteSealedToken(user.id, db);
  await live.catchUp();
  return { status: 204 };
};

export const rotateAuthToken: Handler<'rotateAuthToken'> = async ({ user }, deps) => {
  const token = await rotateToken(user, deps);
  if (!token) throw new AuthenticationFailed('Invalid token.');
  await deps.live.catchUp();
  return { status: 200, body: { token } };
};
