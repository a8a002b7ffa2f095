import type { Deps } from '../deps.ts';
import { OperatorError } from '../errors.ts';
import { setActive } from '../users/repository.ts';
import { findNamedUser } from './named-user.ts';

interface ActivationOptions {
  name: string;
}

export async function deactivate({ name }: ActivationOptions, deps: Deps): Promise<string> {
  const username = await change(name, false, 'Cannot deactivate', deps);
  return `Deactivated ${username} and ended all of its sessions. Its opaque token is refused until it is active again.`;
}

export async function activate({ name }: ActivationOptions, deps: Deps): Promise<string> {
  const username = await change(name, true, 'Cannot activate', deps);
  return `Activated ${username}: its password and its opaque token are good, and sessions that were ended stay so.`;
}

async function change(
  name: string,
  is_active: boolean,
  cannot: string,
  { db }: Deps,
): Promise<string> {
  const { id, username } = await findNamedUser(name, cannot, db);
  if (!(await setActive({ id, is_active }, db)))
    throw new OperatorError(`${cannot}: user ${name} was just deleted.`);
  return username;
}
