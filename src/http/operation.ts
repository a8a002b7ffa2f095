import type { Config } from '../config.ts';
import type { OwnerLookup, SecuritySchemes, TagLookup } from '../contract.ts';
import { deprecationHeaders, deprecationProblems } from './deprecation.ts';
import type { DocumentedDeprecation } from './deprecation.ts';
import { admitsAnonymous, knownPermissions, needsObject } from './security.ts';
import type { SecurityRequirement } from './security.ts';
import type { Schema } from './coercion.ts';

/** What the contract has to be joined with. */
export interface Parts {
  security: SecuritySchemes;
  handlers: Readonly<Record<string, unknown>>;
  owners: Readonly<Record<string, OwnerLookup>>;
  tags: Readonly<Record<string, TagLookup>>;
}

/** An operation of the contract, with all that can be known of it before the first request. */
export interface Operation extends SecurityRequirement {
  id: string;
  /** As the contract states it; undefined where it does not. */
  security: SecurityAlternatives | undefined;
  /** Upper case. */
  method: string;
  path: string;
  pathSchemas: Record<string, Schema>;
  querySchemas: Record<string, Schema>;
  /** By their names in the contract's spelling. */
  headerSchemas: Record<string, Schema>;
  bodySchema: Schema | undefined;
  maxBodyBytes: number;
  /** Whose limits it has beside those of all operations. */
  throttleScope: string | undefined;
  /** Its permissions depend on the object that the path names. */
  needsObject: boolean;
  /** Response headers that have one possible value in the contract, by status. */
  fixedHeaders: Record<string, Record<string, string>>;
  /** The statuses whose answers carry the tag of their body. */
  taggedStatuses: string[];
  /** What every answer says of an operation that will go; empty for one that stays. */
  deprecationHeaders: Record<string, string>;
  /** What is wrong with what the contract says of its end. */
  deprecationProblems: (string | false)[];
}

/** OpenAPI's `security`: one of these will do, and an empty one asks for nothing. */
type SecurityAlternatives = Record<string, string[]>[];

const DEFAULT_MAX_BODY_BYTES = 16_384;

interface Extensions extends DocumentedDeprecation {
  'x-permissions'?: string[];
  'x-challenge'?: string;
  'x-max-body-bytes'?: number;
  'x-throttle-scope'?: string;
}

// The document is bundled and linted at build time; what is read here is what the lint rules guarantee.
export interface DocumentedOperation extends Extensions {
  operationId?: string;
  method: string;
  path: string;
  security?: SecurityAlternatives;
  parameters?: { name: string; in: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses?: Record<string, { headers?: Record<string, { schema?: { enum?: unknown[] } }> }>;
}

export function readOperation(
  documented: DocumentedOperation,
  known: SecuritySchemes,
  config: Config,
): Operation {
  const { security } = documented;
  const named = schemesIn(security);
  const permissions = documented['x-permissions'] ?? [];
  const schemes = [
    ...config.AUTHENTICATION_SCHEMES.filter((name) => named.includes(name)),
    ...named.filter((name) => known[name]?.ofClients),
  ];
  return {
    id: documented.operationId ?? '',
    method: documented.method.toUpperCase(),
    path: documented.path,
    security,
    schemes,
    permissions,
    challengeScheme: documented['x-challenge'] ?? config.AUTHENTICATION_SCHEMES[0] ?? '',
    pathSchemas: parametersIn('path', documented),
    querySchemas: parametersIn('query', documented),
    headerSchemas: parametersIn('header', documented),
    bodySchema: documented.requestBody?.content['application/json']?.schema,
    maxBodyBytes: documented['x-max-body-bytes'] ?? DEFAULT_MAX_BODY_BYTES,
    throttleScope: documented['x-throttle-scope'],
    needsObject: needsObject(permissions),
    fixedHeaders: fixedHeaders(documented),
    taggedStatuses: taggedStatuses(documented),
    deprecationHeaders: deprecationHeaders(documented),
    deprecationProblems: deprecationProblems(documented),
  };
}

const schemesIn = (security: SecurityAlternatives = []): string[] => security.flatMap(Object.keys);

function parametersIn(
  place: string,
  { parameters = [] }: DocumentedOperation,
): Record<string, Schema> {
  const found = parameters.filter((parameter) => parameter.in === place);
  return Object.fromEntries(found.map(({ name, schema }) => [name, schema ?? {}]));
}

function fixedHeaders({ responses = {} }: DocumentedOperation): Operation['fixedHeaders'] {
  const byStatus = Object.entries(responses).map(([status, { headers = {} }]) => {
    const fixed = Object.entries(headers).flatMap(([name, { schema }]) =>
      schema?.enum?.length === 1 ? [[name, String(schema.enum[0])]] : [],
    );
    return [status, Object.fromEntries(fixed)];
  });
  return Object.fromEntries(byStatus);
}

function taggedStatuses({ responses = {} }: DocumentedOperation): string[] {
  return Object.keys(responses).filter((status) => responses[status]?.headers?.ETag);
}

/** Why this service could not honour an operation; empty if it can. */
export function problemsOf(operation: Operation, parts: Parts): string[] {
  const { id, method, path, permissions, challengeScheme } = operation;
  if (id === '') return [`${method} ${path} has no operationId`];
  const problems = [
    !Object.hasOwn(parts.handlers, id) && 'has no handler',
    permissions.length === 0 && 'has no x-permissions',
    ...securityProblems(operation, parts.security),
    ...operation.deprecationProblems,
    operation.needsObject &&
      !Object.hasOwn(parts.owners, id) &&
      'has an object permission but no owner look-up',
    Object.hasOwn(operation.headerSchemas, 'If-Match') &&
      !Object.hasOwn(parts.tags, id) &&
      'takes If-Match but has no look-up of its entity tag',
    !Object.hasOwn(parts.security, challengeScheme) &&
      `has a challenge of the unknown scheme ${challengeScheme}`,
    ...permissions.map(
      (name) => !knownPermissions.includes(name) && `has the unknown permission ${name}`,
    ),
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `${id} ${problem}`);
}

function securityProblems(
  { security, schemes, permissions }: Operation,
  known: SecuritySchemes,
): (string | false)[] {
  if (security === undefined) return ['has no security: write [] where nobody is asked'];
  const isPublic = security.length === 0 || security.some((one) => Object.keys(one).length === 0);
  return [
    ...schemesIn(security).map(
      (name) => !Object.hasOwn(known, name) && `has the unknown security scheme ${name}`,
    ),
    security.some((one) => Object.keys(one).length > 1) &&
      'asks for several security schemes at once, where one at a time is looked at',
    !isPublic && schemes.length === 0 && 'takes none of the configured security schemes',
    permissions.length > 0 &&
      admitsAnonymous(permissions) !== isPublic &&
      'disagrees with itself: its x-permissions and its security differ on anonymous callers',
  ];
}
