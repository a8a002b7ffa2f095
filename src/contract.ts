import { readFileSync } from 'node:fs';
import type { AuthenticatedOperationId, operations } from '../generated/openapi.ts';
import type { Account } from './db.ts';
import type { RequestDeps } from './deps.ts';

export type OperationId = keyof operations;

type Parameters<Id extends OperationId, In extends 'path' | 'query'> =
  NonNullable<operations[Id]['parameters'][In]> extends infer Value
    ? [Value] extends [never]
      ? Record<string, never>
      : Value
    : never;

type BodyOf<Id extends OperationId> = operations[Id] extends {
  requestBody?: { content: { 'application/json': infer Body } };
}
  ? Body
  : undefined;

/** A request as a handler sees it: validated, coerced, authenticated and allowed. */
export interface OperationRequest<Id extends OperationId> {
  params: Parameters<Id, 'path'>;
  query: Parameters<Id, 'query'>;
  body: BodyOf<Id>;
  user: Id extends AuthenticatedOperationId ? Account : Account | null;
  /** Absolute, with the configured origin: links to other pages of the same resource start from it. */
  url: URL;
  client: { ip: string; userAgent: string | undefined };
}

type ResponseOf<Responses> = {
  [Status in keyof Responses & number]: Responses[Status] extends {
    content: { 'application/json': infer Body };
  }
    ? { status: Status; body: Body }
    : { status: Status; body?: undefined };
}[keyof Responses & number];

/** Exactly the responses that the contract declares for an operation. */
export type OperationResponse<Id extends OperationId> = ResponseOf<operations[Id]['responses']>;

export type Handler<Id extends OperationId> = (
  request: OperationRequest<Id>,
  deps: RequestDeps,
) => OperationResponse<Id> | Promise<OperationResponse<Id>>;

export type Handlers = { [Id in OperationId]: Handler<Id> };

/** null: the header is not of this scheme. Throws where it is, and is bad. */
export type Authenticator = (authorization: string, deps: RequestDeps) => Promise<Account | null>;

export interface SecurityScheme {
  authenticate: Authenticator;
  /** The value of WWW-Authenticate. */
  challenge: (config: RequestDeps['config']) => string;
}

export type SecuritySchemes = Readonly<Record<string, SecurityScheme>>;

/** Finds whose object an operation acts on: the id of the owner. Throws NotFound. */
export type OwnerLookup = (params: Record<string, unknown>, deps: RequestDeps) => Promise<number>;

/** The bundled document that the types were generated from. */
export function contractDocument(): object {
  const file = new URL('../generated/openapi.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}
