import { BlockList } from 'node:net';
import type { Context, Middleware } from 'koa';
import type { Config } from '../config.ts';
import type { Caller } from '../contract.ts';
import type { RequestDeps } from '../deps.ts';
import { MethodNotAllowed, NotFound, ParseError } from '../errors.ts';
import type { Api } from './api.ts';
import { clientAddress, plainAddress } from './client-address.ts';
import { readBody } from './body.ts';
import { refuseStale, sendTagged } from './conditional.ts';
import { negotiate, sendJson } from './json.ts';
import type { Operation, Parts } from './operation.ts';
import { authorize, authorizeObject } from './security.ts';

// The order in which Django REST Framework lists them.
const ALLOW_ORDER = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** Routes every path of the contract to its operations, and a path without its last slash to the one with it. */
export function contractRoutes(api: Api, parts: Parts, deps: RequestDeps): Middleware {
  // Most paths are fixed texts, and found at once however many there are.
  const fixed = new Map<string, Middleware>();
  const patterns: { whole: RegExp; route: Middleware }[] = [];
  const add = (path: string, operations: Operation[], route: Middleware): void => {
    if (path.includes('{')) patterns.push({ whole: pattern(path, operations), route });
    else fixed.set(path, route);
  };
  for (const [path, operations] of Map.groupBy(api.operations, (operation) => operation.path)) {
    add(path, operations, serve(pattern(path, operations), operations, api, parts, deps));
    if (path.endsWith('/') && path !== '/') add(path.slice(0, -1), operations, redirectToSlash);
  }
  return (ctx, next) => {
    const { path } = ctx;
    const route = fixed.get(path) ?? patterns.find(({ whole }) => whole.test(path))?.route;
    return route ? route(ctx, next) : next();
  };
}

// Integer parameters are digits alone, as Django's <int:…>: another text is another path.
export function pattern(path: string, operations: Pick<Operation, 'pathSchemas'>[]): RegExp {
  const schemas = operations[0]?.pathSchemas ?? {};
  const source = path
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(\w+)\}/g, (_, name: string) => {
      return `(?<${name}>${schemas[name]?.type === 'integer' ? '[0-9]+' : '[^/]+'})`;
    });
  return new RegExp(`^${source}$`);
}

/** What `Allow` says of a path that has these methods. */
export function allowOf(methods: Pick<ReadonlyMap<string, unknown>, 'has'>): string {
  const isKnown = (method: string): boolean =>
    method === 'OPTIONS' || methods.has(method === 'HEAD' ? 'GET' : method);
  return ALLOW_ORDER.filter(isKnown).join(', ');
}

export const redirectToSlash: Middleware = (ctx) => {
  ctx.status = 308;
  ctx.set('Location', `${ctx.path}/${ctx.search}`);
};

// DRF's order: accept -> authenticate -> authorise -> method -> object -> its permission -> body -> query; with
// headers and preconditions, which it does not have, before the body.
function serve(
  whole: RegExp,
  operations: Operation[],
  api: Api,
  parts: Parts,
  deps: RequestDeps,
): Middleware {
  const byMethod = new Map(operations.map((operation) => [operation.method, operation]));
  const get = byMethod.get('GET');
  if (get) byMethod.set('HEAD', get);
  const common = { Allow: allowOf(byMethod), Vary: 'Accept' };
  // A method that the path does not have is refused to those only who may see the path.
  const [view] = operations;
  if (!view) throw new Error('a path without operations');

  const addressOf = clientAddress(deps.config.TRUSTED_PROXIES ?? new BlockList());
  const limits = new Map(
    operations.map((operation) => [operation, deps.throttle.limitOf(operation.throttleScope)]),
  );

  return async (ctx) => {
    const operation = byMethod.get(ctx.method);
    const seen = operation ?? view;
    ctx.state.operationId = operation?.id;
    ctx.state.challenge = parts.security[seen.challengeScheme]?.challenge(deps.config);
    ctx.set(common);
    if (operation) ctx.set(operation.deprecationHeaders);
    refuseOddHeaders(ctx.req.rawHeaders);
    const search = new URLSearchParams(ctx.querystring);
    negotiate(ctx, search);
    const credentials = { authorization: ctx.get('Authorization'), method: ctx.method };
    const caller = await authorize(seen, credentials, parts.security, deps);
    ctx.state.userId = caller?.user?.id;
    if (ctx.method === 'OPTIONS') ctx.status = 204;
    else if (!operation) throw new MethodNotAllowed(ctx.method);
    else await answer(ctx, operation, caller, { raw: whole.exec(ctx.path)?.groups ?? {}, search });
  };

  async function answer(
    ctx: Context,
    operation: Operation,
    caller: Caller | null,
    { raw, search }: { raw: Record<string, string>; search: URLSearchParams },
  ): Promise<void> {
    const { user = null, sessionId } = caller ?? {};
    const ip = addressOf(ctx.req);
    const passage = await limits.get(operation)?.({ caller, ip });
    if (passage) ctx.set(passage.headers);
    const params = api.readParams(operation, raw);
    const findOwner = parts.owners[operation.id];
    if (operation.needsObject && findOwner)
      authorizeObject(operation.permissions, user, await findOwner(params, deps));
    const headers = api.readHeaders(operation, ctx.req.headers);
    await refuseStale(operation, { headers, params }, parts.tags, deps);
    const body = operation.bodySchema && (await readBody(ctx.req, operation.maxBodyBytes));
    const url = { origin: origin(ctx, deps.config), path: ctx.path, search };
    const client = { ip, userAgent: ctx.get('User-Agent') || undefined };
    const call = { params, headers, body, user, sessionId, url, client };
    const result = await api.call(operation, call, deps);
    await passage?.succeeded();

    ctx.set({ ...operation.fixedHeaders[result.status], ...result.headers });
    const { status, body: answered } = result;
    if (answered === undefined) ctx.status = status;
    else if (operation.taggedStatuses.includes(String(status)))
      sendTagged(ctx, { status, body: answered }, headers);
    else sendJson(ctx, status, answered);
  }
}

const SINGLE_HEADERS = new Set(['authorization', 'content-length', 'content-type', 'host']);
const MAX_HEADERS = 100;

// Node keeps the first of two and drops the other in silence; a proxy before us may have read the other.
function refuseOddHeaders(rawHeaders: string[]): void {
  if (rawHeaders.length > 2 * MAX_HEADERS) throw new ParseError('Malformed request.');
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new ParseError('Malformed request.');
    seen.add(name);
  }
}

// What a caller says about the host is never believed: links would lead where it likes.
function origin(ctx: Context, config: Config): string {
  if (config.BASE_URL !== undefined) return config.BASE_URL;
  // A socket that the caller has closed by now has neither.
  const { localAddress = '127.0.0.1', localPort = 80 } = ctx.socket;
  const address = plainAddress(localAddress);
  return `http://${address.includes(':') ? `[${address}]` : address}:${localPort}`;
}

export const notFound: Middleware = () => {
  throw new NotFound();
};
