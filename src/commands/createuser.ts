import { createAccount } from '../accounts/accounts.ts';
import type { Deps } from '../deps.ts';
import { ValidationError } from '../errors.ts';
import type { FieldErrors } from '../errors.ts';
import { validateNewPassword } from '../users/password-rules.ts';
import { hashPassword } from '../users/passwords.ts';
import { canonicalUsername } from '../users/usernames.ts';
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
  const { name, email = '', staff = false, superuser = false, inactive = false } = options;
  const input = await readNewPassword(options);
  await throwTogether([
    async () => canonicalUsername(name),
    async () => validateEmail(email),
    async () => input.isGenerated || validateNewPassword(input.password, name, deps.config),
  ]);
  const user = await createAccount(
    {
      username: canonicalUsername(name),
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

function validateEmail(email: string): void {
  if (email !== '' && !/^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,189}$/u.test(email))
    throw new ValidationError({ email: ['Enter a valid email address.'] });
}

/** Runs all checks, and throws what they found as one error. */
async function throwTogether(checks: (() => Promise<unknown>)[]): Promise<void> {
  const errors: FieldErrors = {};
  for (const { reason } of rejections(await Promise.allSettled(checks.map((check) => check())))) {
    if (!(reason instanceof ValidationError)) throw reason;
    Object.assign(errors, reason.body);
  }
  if (Object.keys(errors).length > 0) throw new ValidationError(errors);
}

function rejections(results: PromiseSettledResult<unknown>[]): PromiseRejectedResult[] {
  return results.filter((result) => result.status === 'rejected');
}
