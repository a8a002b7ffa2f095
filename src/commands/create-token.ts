import { getOrCreateToken, resetToken } from '../authtoken/tokens.ts';
import type { Deps } from '../deps.ts';
import { findNamedUser } from './named-user.ts';

export interface CreateTokenOptions {
  name: string;
  reset?: boolean;
}

/** DRF's `drf_create_token`, with its sentence. */
export async function createToken(
  { name, reset }: CreateTokenOptions,
  deps: Deps,
): Promise<string> {
  const user = await findNamedUser(name, 'Cannot create the token', deps.db);
  const token = await (reset ? resetToken : getOrCreateToken)(user.id, deps);
  return `Generated token ${token} for user ${user.username}`;
}
