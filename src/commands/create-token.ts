import { getOrCreateToken, resetToken } from '../authtoken/tokens.ts';
import type { Deps } from '../deps.ts';
import { findUserByUsername } from '../users/repository.ts';
import { normalizeUsername } from '../users/usernames.ts';
import { OperatorError } from '../errors.ts';

export interface CreateTokenOptions {
  name: string;
  reset?: boolean;
}

/** DRF's `drf_create_token`, with its sentence. */
export async function createToken(
  { name, reset }: CreateTokenOptions,
  deps: Deps,
): Promise<string> {
  const user = await findUserByUsername(normalizeUsername(name), deps.db);
  if (!user) throw new OperatorError(`Cannot create the token: user ${name} does not exist.`);

  const token = await (reset ? resetToken : getOrCreateToken)(user.id, deps);
  return `Generated token ${token} for user ${user.username}`;
}
