import { createAccount } from '../accounts/accounts.ts';
import type { Deps } from '../deps.ts';
import { refuseProblems } from '../errors.ts';
import { emailProblems, normalizeEmail } from '../users/emails.ts';
import { passwordProblems } from '../users/password-rules.ts';
import { hashPassword } from '../users/passwords.ts';
import { normalizeUsername, usernameProblems } from '../users/usernames.ts';
import { announcePassword, readNewPassword } from './password-input.ts';

export interface CreateUserOptions {
  name: string;
  email?: string;
  staff?: boolean;
  superuser?: boolean;
  inactive?: boolean;
  generate?: boolean;
}

export async function createUser(options: CreateUserOptions, deps: Deps): Promise<string> {
  const { staff = false, superuser = false, inactive = false } = options;
  const username = normalizeUsername(options.name);
  const email = normalizeEmail(options.email ?? '');
  const input = await readNewPassword(options);
  refuseProblems({
    username: usernameProblems(username),
    email: emailProblems(email),
    password: input.isGenerated
      ? []
      : await passwordProblems(input.password, username, deps.config),
  });
  const user = await createAccount(
    {
      username,
      password: await hashPassword(input.password, deps.config),
      email,
      is_staff: staff,
      is_superuser: superuser,
      is_active: !inactive,
    },
    deps,
  );
  const roles = [superuser && 'superuser', staff && 'staff', inactive && 'inactive'].filter(
    Boolean,
  );
  const description = roles.length > 0 ? ` (${roles.join(', ')})` : '';
  return `Created user ${user.username}${description}.${announcePassword(input)}`;
}
