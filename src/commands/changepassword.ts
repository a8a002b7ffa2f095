import type { Deps } from '../deps.ts';
import { OperatorError, refuseProblems } from '../errors.ts';
import { passwordProblems } from '../users/password-rules.ts';
import { hashPassword } from '../users/passwords.ts';
import { setPassword } from '../users/repository.ts';
import { findNamedUser } from './named-user.ts';
import { announcePassword, readNewPassword } from './password-input.ts';

export interface ChangePasswordOptions {
  name: string;
  generate?: boolean;
}

export async function changePassword(
  { name, generate }: ChangePasswordOptions,
  { config, db, now }: Deps,
): Promise<string> {
  const user = await findNamedUser(name, 'Cannot change the password', db);

  const input = await readNewPassword({ generate });
  if (!input.isGenerated)
    refuseProblems({ password: await passwordProblems(input.password, user.username, config) });
  const password = await hashPassword(input.password, config);
  if (!(await setPassword({ id: user.id, password, now: now() }, db)))
    throw new OperatorError(`Cannot change the password: user ${name} was just deleted.`);
  const livesOn = config.REVOKE_ACCESS_TOKENS
    ? ''
    : ` Access tokens given out before run out within ${config.ACCESS_TOKEN_LIFETIME} seconds.`;
  return (
    `Changed the password of ${user.username} and ended all of its sessions and its opaque token.` +
    `${livesOn}${announcePassword(input)}`
  );
}
