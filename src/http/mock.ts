import Router from '@koa/router';
import { createLogger } from '@stoplight/prism-core';
import { createInstance, getHttpOperationsFromSpec } from '@stoplight/prism-http';
import type { IHttpOperation } from '@stoplight/types';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import pino from 'pino';
import { MethodNotAllowed, NotFound } from '../errors.ts';
import { readBody } from './body.ts';
import { coerceBody } from './coercion.ts';
import type { Schema } from './coercion.ts';
import { EXPOSED, SENT } from './cors.ts';
import { errorResponse } from './error-response.ts';
import { negotiate, prefersProblem, PROBLEM, sendJson } from './json.ts';
import { requestId } from './request-id.ts';
import { allowOf, notFound, pattern, redirectToSlash } from './router.ts';

const JSON_TYPE = 'application/json';
const MAX_BODY_BYTES = 262_144;

// Where the links of the examples lead. The mock's lead to itself, so that they can be followed.
const EXAMPLES_ORIGIN = 'https://shop.example.com';

/** Which answer of an operation is wanted. */
type Wish = Partial<Record<'code' | 'example', string>>;

/** An answer that the contract shows; without a type, it has no body. */
interface Shown {
  code: string;
  type: string | undefined;
  example: string | undefined;
  value: unknown;
}

/** The status that a request deserves by the contract, as far as that can be told from the request alone. */
type Judge = (ctx: Context, operation: IHttpOperation) => Promise<number>;

/**
 * A server that answers from the examples of the contract. Prism holds the requests against the contract; paths,
 * bodies and `Accept` are read as the service reads them, so that the mock takes what the service takes.
 */
export async function createMock(document: object): Promise<Koa> {
  const operations = await getHttpOperationsFromSpec(document);
  const judge = judgeByPrism(operations);
  const router = new Router({ sensitive: true, strict: true });
  for (const [path, ofPath] of Map.groupBy(operations, (operation) => operation.path)) {
    const parameters = ofPath.map(({ request }) => ({ pathSchemas: schemasOf(request?.path) }));
    router.all(pattern(path, parameters), answerFromExamples(ofPath, judge));
    if (path.endsWith('/') && path !== '/')
      router.all(pattern(path.slice(0, -1), parameters), redirectToSlash);
  }
  const koa = new Koa();
  koa.use(openToAll);
  koa.use(requestId);
  koa.use(errorResponse(pino({ level: 'error' })));
  koa.use(router.routes());
  koa.use(notFound);
  return koa;
}

const schemasOf = (parameters: { name: string; schema?: object }[] = []): Record<string, Schema> =>
  Object.fromEntries(parameters.map(({ name, schema = {} }) => [name, schema]));

const openToAll: Middleware = async (ctx, next) => {
  ctx.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': EXPOSED });
  const method = ctx.get('Access-Control-Request-Method');
  if (ctx.method !== 'OPTIONS' || method === '') return next();
  ctx.set({ 'Access-Control-Allow-Methods': method, 'Access-Control-Allow-Headers': SENT });
  ctx.status = 204;
};

function judgeByPrism(operations: IHttpOperation[]): Judge {
  const config = {
    isProxy: false as const,
    checkSecurity: true,
    validateRequest: true,
    validateResponse: false,
    errors: false,
    upstreamProxy: undefined,
    mock: { dynamic: false, mediaTypes: [JSON_TYPE] },
  };
  const logger = createLogger('mock', { level: 'silent' });
  const prism = createInstance(config, { logger });
  return async (ctx, operation) => {
    const { authorization } = ctx.headers;
    const isRefused = isProtected(operation) && authorization === undefined;
    const request = {
      method: operation.method as 'get', // one of those that a contract can have
      url: { path: ctx.path },
      headers: { 'content-type': JSON_TYPE, ...(authorization !== undefined && { authorization }) },
      // Who is refused anyway has his body not read, here as there.
      body: isRefused ? {} : await readAsJson(ctx, operation),
    };
    const result = await prism.request(request, operations, config)();
    if (result._tag === 'Left') throw result.left;
    const { statusCode } = result.right.output;
    // Prism takes a declared 422 for what does not fit. The service says 400, and means another thing by 422.
    return statusCode === 422 ? 400 : statusCode;
  };
}

const isProtected = ({ security = [] }: IHttpOperation): boolean =>
  security.length > 0 && security.every((schemes) => schemes.length > 0);

async function readAsJson(ctx: Context, { request }: IHttpOperation): Promise<unknown> {
  const content = request?.body?.contents?.find(({ mediaType }) => mediaType === JSON_TYPE);
  if (!content?.schema) return undefined;
  const { data, isForm } = await readBody(ctx.req, MAX_BODY_BYTES);
  return coerceBody(data, content.schema as Schema, isForm);
}

function answerFromExamples(ofPath: IHttpOperation[], judge: Judge): Middleware {
  const byMethod = new Map(ofPath.map((one) => [one.method.toUpperCase(), one]));
  const allow = allowOf(byMethod);
  return async (ctx) => {
    ctx.set({ Allow: allow, Vary: 'Accept' });
    const operation = byMethod.get(ctx.method === 'HEAD' ? 'GET' : ctx.method);
    if (ctx.method === 'OPTIONS') ctx.status = 204;
    else if (!operation) throw new MethodNotAllowed(ctx.method);
    else {
      const wish = readWish(ctx.get('Prefer')) ?? (await deservedWish(ctx, operation, judge));
      send(ctx, operation, choose(ctx, operation, wish));
    }
  };
}

/** `code=401, example=bearer_expired`, or one of the two (RFC 7240). */
function readWish(prefer: string): Wish | undefined {
  const wishes = [...prefer.matchAll(/\b(code|example)="?(\w+)"?/g)];
  return wishes.length > 0
    ? Object.fromEntries(wishes.map(([, name, value]) => [name, value]))
    : undefined;
}

async function deservedWish(ctx: Context, operation: IHttpOperation, judge: Judge): Promise<Wish> {
  negotiate(ctx);
  const code = String(await judge(ctx, operation));
  const hasTurnedPage = new URLSearchParams(ctx.querystring).has('cursor') && code === '200';
  return hasTurnedPage ? { code, example: 'last_page' } : { code };
}

function choose(ctx: Context, operation: IHttpOperation, { code, example }: Wish): Shown {
  const all = operation.responses.flatMap((response) => shownBy(response, ctx.get('Accept')));
  const found = all.find(
    (one) => one.code === (code ?? one.code) && one.example === (example ?? one.example),
  );
  if (found) return found;
  const known = [...new Set(all.map((one) => [one.code, one.example].filter(Boolean).join(' ')))];
  throw new NotFound(`The contract shows no such answer. It shows: ${known.join(', ')}.`);
}

type Response = IHttpOperation['responses'][number];

/** What a caller who accepts this is given first comes first. */
function shownBy({ code, contents = [] }: Response, accept: string): Shown[] {
  if (contents.length === 0)
    return [{ code, type: undefined, example: undefined, value: undefined }];
  const types = prefersProblem(accept) ? [PROBLEM, JSON_TYPE] : [JSON_TYPE];
  return types.flatMap((type) => {
    const { examples = [] } = contents.find(({ mediaType }) => mediaType === type) ?? {};
    return examples.map((one) => ({
      code,
      type,
      example: one.key,
      value: 'value' in one ? one.value : undefined,
    }));
  });
}

function send(ctx: Context, { responses }: IHttpOperation, { code, type, example, value }: Shown) {
  const { headers = [] } = responses.find((response) => response.code === code) ?? {};
  for (const { name, examples = [] } of headers) {
    const shown = examples.find(({ key }) => key === example) ?? examples[0];
    const isOurs = name === 'Allow' || (name === 'X-Request-Id' && ctx.get(name) !== '');
    if (!isOurs && shown && 'value' in shown) ctx.set(name, String(shown.value));
  }
  ctx.status = Number(code);
  if (type === undefined) return;
  const text = JSON.stringify(value).replaceAll(
    `"${EXAMPLES_ORIGIN}/`,
    `"${ctx.protocol}://${ctx.host}/`,
  );
  sendJson(ctx, ctx.status, JSON.parse(text));
  ctx.set('Content-Type', type);
}
