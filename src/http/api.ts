import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorObject } from 'ajv';
import { OpenAPIBackend } from 'openapi-backend';
import type { Document, HandlerMap, Operation as BackendOperation } from 'openapi-backend';
import type { Config } from '../config.ts';
import type { PageUrl } from '../contract.ts';
import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { NotFound, OperatorError } from '../errors.ts';
import type { RequestBody } from './body.ts';
import { coerce, coerceBody, coerceHeaders, coerceQuery } from './coercion.ts';
import { contractAjv } from './contract-ajv.ts';
import { problemsOf, readOperation } from './operation.ts';
import type { DocumentedOperation, Operation, Parts } from './operation.ts';
import { fieldOf, refuseInvalid } from './validation.ts';

export interface Call {
  params: Record<string, unknown>;
  /** Those that the contract declares, under its spelling. */
  headers: Record<string, unknown>;
  body: RequestBody | undefined;
  user: Account | null;
  sessionId: string | undefined;
  url: PageUrl;
  client: { ip: string; userAgent: string | undefined };
}

/** The contract, joined with its handlers. */
export interface Api {
  operations: readonly Operation[];
  /** Path parameters in the contract's types; throws NotFound for values that it excludes. */
  readParams: (operation: Operation, raw: Record<string, string>) => Record<string, unknown>;
  /** The headers that the contract declares; throws ValidationError for values that it excludes. */
  readHeaders: (operation: Operation, raw: IncomingHttpHeaders) => Record<string, unknown>;
  /** Validates query and body and calls the handler. */
  call: (
    operation: Operation,
    call: Call,
    deps: RequestDeps,
  ) => Promise<{ status: number; body?: unknown; headers?: Record<string, string> }>;
}

/**
 * Registers the handlers under the contract's operationIds. Throws one Error with all reasons why this service
 * could not honour the contract, so that it does not listen.
 */
export async function createApi(document: object, parts: Parts, config: Config): Promise<Api> {
  const backend = new OpenAPIBackend({
    definition: document as Document, // an object of our own making, linted when it was bundled
    // Without the library's check, which knows OpenAPI 3.0 only, and without validators of answers: nobody asks them.
    quick: true,
    strict: true,
    ignoreTrailingSlashes: false,
    ajvOpts: { allErrors: true, verbose: true, strict: false },
    customizeAjv: (_ajv, options) => contractAjv(options),
  });
  await backend.init();
  // Read once: the library's own router would build this table and its patterns at every request.
  const operations = backend.router
    .getOperations()
    .map((entry) =>
      readOperation(withStatedSecurity(entry, backend.definition), parts.security, config),
    );
  const ids = operations.map(({ id }) => id);
  const userSchemes = Object.keys(parts.security).filter(
    (name) => !parts.security[name]?.ofClients,
  );
  refuseToStart([
    ...config.AUTHENTICATION_SCHEMES.filter((name) => !userSchemes.includes(name)).map(
      (name) => `AUTHENTICATION_SCHEMES names ${name}: there are ${userSchemes.join(', ')}`,
    ),
    ...operations.flatMap((operation) => problemsOf(operation, parts)),
    ...Object.keys(parts.handlers)
      .filter((id) => !ids.includes(id))
      .map((id) => `${id} is a handler of no operation`),
  ]);
  backend.register(parts.handlers as HandlerMap); // their types were held against the contract by the compiler

  // Compiled once each, by the library.
  const validatorsOf = (id: string) => backend.validator.getRequestValidatorsForOperation(id) ?? [];
  // A schema that cannot be compiled is told at the start, except in production: it is in a hurry to serve, and the
  // others have compiled the same contract before it.
  if (config.NODE_ENV !== 'production') ids.forEach(validatorsOf);
  const validate = ({ id }: Operation, values: object): ErrorObject[] =>
    validatorsOf(id).flatMap((isValid) => (isValid(values) ? [] : (isValid.errors ?? [])));
  return {
    operations,
    readParams: (operation, raw) => {
      if (Object.keys(raw).length === 0) return {};
      const entries = Object.entries(raw).map(([name, value]) => [
        name,
        coerce(value, operation.pathSchemas[name] ?? {}),
      ]);
      const path = Object.fromEntries(entries);
      if (errorsIn('path', validate(operation, { path })).length > 0) throw new NotFound();
      return path;
    },
    readHeaders: (operation, raw) => {
      const { headerSchemas } = operation;
      if (Object.keys(headerSchemas).length === 0) return {};
      const headers = coerceHeaders(raw, headerSchemas);
      const found = errorsIn('header', validate(operation, { header: inLowerCase(headers) }));
      const named = found.map((error) => nameHeader(error, Object.keys(headerSchemas)));
      refuseInvalid(named, headers, headerSchemas, 'header');
      return headers;
    },
    call: async (operation, { body: received, ...rest }, deps) => {
      const { querySchemas, bodySchema } = operation;
      const query = coerceQuery(rest.url.search, querySchemas);
      const body = bodySchema && received && coerceBody(received.data, bodySchema, received.isForm);
      const found = validate(operation, { path: rest.params, query, requestBody: body });
      refuseInvalid(
        errorsIn('requestBody', found),
        body ?? {},
        bodySchema?.properties ?? {},
        'body',
      );
      const [ignored, refused] = partition(
        errorsIn('query', found),
        (error) => querySchemas[fieldOf(error)]?.['x-ignore-invalid'] === true,
      );
      for (const error of ignored) delete query[fieldOf(error)];
      refuseInvalid(refused, query, querySchemas, 'query');
      return backend.handlers[operation.id]?.({ ...rest, query, body } as never, deps);
    },
  };
}

type Paths = Record<string, Record<string, Pick<BackendOperation, 'security'>>>;

// The library's table says `[]`, which is public, where the contract says nothing.
function withStatedSecurity(entry: BackendOperation, { paths }: Document): DocumentedOperation {
  const stated = (paths as Paths)[entry.path]?.[entry.method];
  return { ...entry, security: stated?.security } as DocumentedOperation; // dereferenced by the library
}

function refuseToStart(problems: string[]): void {
  if (problems.length === 0) return;
  const lines = problems.map((problem) => `  - ${problem}`);
  throw new OperatorError(`This service cannot honour its contract:\n${lines.join('\n')}`);
}

function errorsIn(
  place: 'path' | 'query' | 'header' | 'requestBody',
  errors: ErrorObject[],
): ErrorObject[] {
  return errors.filter(({ instancePath }) => instancePath.split('/')[1] === place);
}

// The library knows headers by such names alone.
function inLowerCase(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function nameHeader(error: ErrorObject, names: string[]): ErrorObject {
  const name = names.find((one) => one.toLowerCase() === fieldOf(error)) ?? '';
  return {
    ...error,
    instancePath: `/header/${name}`,
    params: { ...error.params, missingProperty: name },
  };
}

function partition<Item>(items: Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
