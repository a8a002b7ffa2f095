import { readFileSync } from 'node:fs';
import type { AuthenticatedOperationId, operations } from '../generated/openapi.ts';
import type { Account } from './db.ts';
import type { RequestDeps } from './deps.ts';

export type OperationId = keyof operations;

type Parameters<Id extends OperationId, In extends 'path' | 'query' | 'header'> =
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

/** Of a request, with the configured origin: links to other pages of the same resource start from it. */
export interface PageUrl {
  origin: string;
  path: string;
  search: URLSearchParams;
}

/** A request as a handler sees it: validated, coerced, authenticated and allowed. */
export interface OperationRequest<Id extends OperationId> {
  params: Parameters<Id, 'path'>;
  query: Parameters<Id, 'query'>;
  /** Those that the contract declares, under its spelling. */
  headers: Parameters<Id, 'header'>;
  body: BodyOf<Id>;
  user: Id extends AuthenticatedOperationId ? Account : Account | null;
  /** The session that the credentials belong to; an opaque token belongs to none. */
  sessionId: string | undefined;
  url: PageUrl;
  client: { ip: string; userAgent: string | undefined };
}

// Without the index signature of the generated types, which would let any header through.
type HeadersOf<Response> = Response extends { headers: infer Headers }
  ? { [Name in keyof Headers as string extends Name ? never : Name]?: Headers[Name] }
  : Record<string, never>;

type ResponseOf<Responses> = {
  [Status in keyof Responses & number]: Responses[Status] extends {
    content: { 'application/json': infer Body };
  }
    ? { status: Status; body: Body; headers?: HeadersOf<Responses[Status]> }
    : { status: Status; body?: undefined; headers?: HeadersOf<Responses[Status]> };
}[keyof Responses & number];

/** Exactly the responses that the contract declares for an operation. */
export type OperationResponse<Id extends OperationId> = ResponseOf<operations[Id]['responses']>;

export type Handler<Id extends OperationId> = (
  request: OperationRequest<Id>,
  deps: RequestDeps,
) => OperationResponse<Id> | Promise<OperationResponse<Id>>;

export type Handlers = { [Id in OperationId]: Handler<Id> };

/** Who sends a request: a user, perhaps within a session, or a client, which is another service and no user. */
export type Caller =
  | { user: Account; sessionId?: string | undefined; clientId?: undefined }
  | { user: null; sessionId?: undefined; clientId: string };

/** The header of this name, taken apart at its white space; empty where there is none. */
export interface Authorization {
  keyword: string;
  words: string[];
}

/** null: the header is not of this scheme. Throws where it is, and is bad. */
export type Authenticator = (header: Authorization, deps: RequestDeps) => Promise<Caller | null>;

export interface SecurityScheme {
  authenticate: Authenticator;
  /** Taken by the operations that name it, always: AUTHENTICATION_SCHEMES chooses among the schemes of users. */
  ofClients?: true;
  /** The value of WWW-Authenticate. */
  challenge: (config: RequestDeps['config']) => string;
}

export type SecuritySchemes = Readonly<Record<string, SecurityScheme>>;

/** Finds whose object an operation acts on: the id of the owner. Throws NotFound. */
export type OwnerLookup = (params: Record<string, unknown>, deps: RequestDeps) => Promise<number>;

/** Finds the entity tag of what an operation acts on, for `If-Match`. Throws NotFound. */
export type TagLookup = (params: Record<string, unknown>, deps: RequestDeps) => Promise<string>;

let document: object | undefined;

/** The bundled document that the types were generated from: one object, which nobody changes. */
export function contractDocument(): object {
  document ??= JSON.parse(
    readFileSync(new URL('../generated/openapi.json', import.meta.url), 'utf8'),
  ) as object; // linted when it was bundled
  return document;
}
