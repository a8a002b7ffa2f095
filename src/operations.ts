import * as accounts from './accounts/handlers.ts';
import { authenticateToken } from './authtoken/authentication.ts';
import * as authtoken from './authtoken/handlers.ts';
import type { Handlers, OwnerLookup, SecuritySchemes, TagLookup } from './contract.ts';
import { authenticateJwt } from './jwt/authentication.ts';
import * as jwt from './jwt/handlers.ts';
import * as sessions from './jwt/session-handlers.ts';
import * as oauth from './oauth/handlers.ts';
import { authenticateClient, BASIC_CHALLENGE } from './oauth/authentication.ts';
import * as products from './products/handlers.ts';
import { productOwner, productTag } from './products/repository.ts';

/** operationId -> handler. The compiler names what is missing and what the contract does not declare. */
export const handlers = {
  hello: () => ({ status: 200, body: { message: 'Hello, World!' } }),
  ...authtoken,
  ...accounts,
  ...jwt,
  ...sessions,
  ...oauth,
  ...products,
} satisfies Handlers;

/** Security scheme -> how its credentials are checked, and the challenge of a 401. */
export const security: SecuritySchemes = {
  tokenAuth: { authenticate: authenticateToken, challenge: () => 'Token' },
  bearerJWT: {
    authenticate: authenticateJwt,
    challenge: ({ AUTH_HEADER_TYPES }) => `${AUTH_HEADER_TYPES[0]} realm="api"`,
  },
  clientBasic: {
    authenticate: authenticateClient,
    challenge: () => BASIC_CHALLENGE,
    ofClients: true,
  },
};

const ownerOfProduct: OwnerLookup = ({ id }, { db }) => productOwner(Number(id), db);

/** operationId -> whose object it acts on, for the permissions that ask. */
export const owners: Readonly<Record<string, OwnerLookup>> = {
  updateProduct: ownerOfProduct,
  partialUpdateProduct: ownerOfProduct,
  destroyProduct: ownerOfProduct,
};

const tagOfProduct: TagLookup = ({ id }, { db }) => productTag(Number(id), db);

/** operationId -> what `If-Match` is compared with. */
export const tags: Readonly<Record<string, TagLookup>> = {
  updateProduct: tagOfProduct,
  partialUpdateProduct: tagOfProduct,
  destroyProduct: tagOfProduct,
};
