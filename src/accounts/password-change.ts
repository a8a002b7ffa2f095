import type { User } from '../db.ts';
import type { Deps } from '../deps.ts';
import { refuseProblems } from '../errors.ts';
import { passwordProblems } from '../users/password-rules.ts';
import { hashPassword, verifyPassword } from '../users/passwords.ts';
import { setPassword } from '../users/repository.ts';

interface PasswordChange {
  new_password: string;
  current_password: string;
}

/** Changes the password of a user who knows it (djoser's SetPasswordSerializer), and ends everything given out before. */
export async function changePassword(
  user: User,
  { new_password, current_password }: PasswordChange,
  { config, db, now }: Deps,
): Promise<void> {
  const { matches } = await verifyPassword(current_password, user.password, config);
  refuseProblems({
    current_password: matches ? [] : [INVALID],
    new_password: await passwordProblems(new_password, user.username, config),
  });
  const password = await hashPassword(new_password, config);
  // By its version and not by its hash, which a login may have upgraded meanwhile.
  const { id, token_version } = user;
  const isChanged = await setPassword({ id, token_version, password, now: now() }, db);
  refuseProblems({ current_password: isChanged ? [] : [INVALID] });
}

const INVALID = 'Invalid password.';
