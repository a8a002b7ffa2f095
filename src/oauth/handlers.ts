import type { Handler } from '../contract.ts';
import { introspect } from './introspection.ts';

export const introspectToken: Handler<'introspectToken'> = async ({ body }, deps) => ({
  status: 200,
  body: await introspect(body.token, deps),
});
