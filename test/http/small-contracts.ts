import type { Authenticator, SecuritySchemes } from '../../src/contract.ts';
import type { User } from '../../src/db.ts';
import { AuthenticationFailed } from '../../src/errors.ts';

type Methods = Record<string, object>;

/** A contract of a few operations, by path and method. */
export function contractOf(paths: Record<string, Methods>): object {
  return { openapi: '3.1.0', info: { title: 'Small', version: '1' }, paths };
}

/** An operation that anybody may call, but for what the test says. */
export function operation(operationId: string, fields: object = {}): object {
  return {
    operationId,
    security: [],
    'x-permissions': ['AllowAny'],
    responses: { 200: { description: 'Done.' } },
    ...fields,
  };
}

export const USER: User = {
  id: 1,
  username: 'alice',
  password: '!',
  email: '',
  is_active: true,
  is_staff: false,
  is_superuser: false,
  token_version: 0,
  tokens_valid_from: null,
  date_joined: new Date(0),
  last_login: null,
};
export const STAFF: User = { ...USER, id: 2, username: 'moderator', is_staff: true };

// `Key alice` is alice; her name alone is the credential.
const authenticate: Authenticator = async ({ keyword, words: [name] }) => {
  if (keyword !== 'Key') return null;
  const user = [USER, STAFF].find(({ username }) => username === name);
  if (!user) throw new AuthenticationFailed('Invalid key.');
  return { user };
};

// `Client shop` is a service of this name, and any other name a bad one.
const authenticateClient: Authenticator = async ({ keyword, words: [name] }) => {
  if (keyword !== 'Client') return null;
  if (name === 'shop') return { user: null, clientId: name };
  throw new AuthenticationFailed('Invalid client.', { headers: { 'WWW-Authenticate': 'Client' } });
};

/** Both schemes that the configuration names, keys under the first, nothing under the second, and one of clients. */
export const SCHEMES: SecuritySchemes = {
  tokenAuth: { authenticate, challenge: () => 'Key' },
  bearerJWT: { authenticate: async () => null, challenge: () => 'Bearer' },
  clientAuth: { authenticate: authenticateClient, challenge: () => 'Client', ofClients: true },
};
