import type { RequestDeps } from '../deps.ts';
import { NotFound, refuseProblems } from '../errors.ts';
import type { Reason } from '../errors.ts';
import { passwordProblems } from '../users/password-rules.ts';
import { hashPassword, verifyPassword } from '../users/passwords.ts';
import { findUserById, setPassword } from '../users/repository.ts';

interface PasswordChange {
  new_password: string;
  current_password: string;
}

/** Changes the password of a user who knows it (djoser's SetPasswordSerializer), and ends everything given out before. */
export async function changePassword(
  id: number,
  { new_password, current_password }: PasswordChange,
  { config, db, now, live }: RequestDeps,
): Promise<void> {
  const user = await findUserById(id, db);
  if (!user) throw new NotFound();
  const { matches } = await verifyPassword(current_password, user.password, config);
  refuseProblems({
    current_password: matches ? [] : [INVALID],
    new_password: await passwordProblems(new_password, user.username, config),
  });
  const password = await hashPassword(new_password, config);
  // By its version and not by its hash, which a login may have upgraded meanwhile.
  const { token_version } = user;
  const isChanged = await setPassword({ id, token_version, password, now: now() }, db);
  refuseProblems({ current_password: isChanged ? [] : [INVALID] });
  await live.catchUp();
}

const INVALID: Reason = { detail: 'Invalid password.', code: 'invalid_password' };
