import type { Handler } from '../contract.ts';
import { introspect } from './introspection.ts';
import { revoke } from './revocation.ts';

export const introspectToken: Handler<'introspectToken'> = async ({ body }, deps) => ({
  status: 200,
  body: await introspect(body.token, deps),
});

export const revokeToken: Handler<'revokeToken'> = async ({ body }, deps) => {
  await revoke(body.token, deps);
  return { status: 200, body: {} };
};
