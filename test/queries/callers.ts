import { randomUUID } from 'node:crypto';
import { entityTagOf } from '../../src/entity-tag.ts';
import { insertProduct } from '../../src/products/repository.ts';
import type { TestApp } from '../support/app.ts';
import type { Client, RequestOptions } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { Session, TestUser } from '../support/factories.ts';

export interface Caller {
  client: Client;
  /** Of a replica with ROTATE_REFRESH_TOKENS. */
  rotating: Client;
  user: TestUser;
  session: Session;
  /** Of a session of its own. */
  sliding: string;
  /** The path of a product of the caller. */
  product: string;
  productTag: string;
  /** An Idempotency-Key that was used with CHAIR. */
  usedKey: string;
  as: (options?: RequestOptions) => RequestOptions;
}

export const CHAIR = { name: 'Chair', price: '5.00' };

/** Credentials of a user that the replica knows nothing of yet. */
export const SCHEMES = {
  token: async (app: TestApp): Promise<string> => `Token ${(await createUser(app)).token}`,
  JWT: async (app: TestApp): Promise<string> =>
    `Bearer ${(await logIn(app, await createUser(app))).access}`,
};

/** Somebody of staff, who may introspect, with all that a request can be about, and whom the replica has seen before. */
export async function createCaller(
  app: TestApp,
  rotating: TestApp,
  scheme: keyof typeof SCHEMES,
): Promise<Caller> {
  const { client, db, deps } = app;
  const user = await createUser(app, { is_staff: true });
  const session = await logIn(app, user);
  const json = { username: user.username, password: user.plain };
  const { body } = await client.post('/login/sliding/', { json });
  const { token: sliding } = body as { token: string }; // as the contract says
  const authorization = scheme === 'token' ? `Token ${user.token}` : `Bearer ${session.access}`;
  const as: Caller['as'] = (options) => ({ authorization, ...options });
  const product = await insertProduct({ ...CHAIR, owner: user.id }, db);
  const usedKey = randomUUID();
  await deps.live.catchUp();
  await client.post('/products/', as({ json: CHAIR, headers: { 'Idempotency-Key': usedKey } }));
  return {
    client,
    rotating: rotating.client,
    user,
    session,
    sliding,
    product: `/products/${product.id}/`,
    productTag: entityTagOf(product),
    usedKey,
    as,
  };
}
