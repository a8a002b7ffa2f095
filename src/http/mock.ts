import Router from '@koa/router';
import { createLogger } from '@stoplight/prism-core';
import { createInstance, getHttpOperationsFromSpec } from '@stoplight/prism-http';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import pino from 'pino';
import { MethodNotAllowed } from '../errors.ts';
import { readBody } from './body.ts';
import { coerceBody } from './coercion.ts';
import type { Schema } from './coercion.ts';
import { EXPOSED, SENT } from './cors.ts';
import { errorResponse } from './error-response.ts';
import { negotiate } from './json.ts';
import { choose, readWish, send, wishOf } from './mock-answers.ts';
import type { PrismOperation, Verdict, Wish } from './mock-answers.ts';
import { requestId } from './request-id.ts';
import { allowOf, notFound, pattern, redirectToSlash } from './router.ts';

const JSON_TYPE = 'application/json';
const MAX_BODY_BYTES = 262_144;

/** As far as that can be told from the request alone. */
type Judge = (ctx: Context, operation: PrismOperation) => Promise<Verdict>;

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

function judgeByPrism(operations: PrismOperation[]): Judge {
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
    const { output, validations } = result.right;
    const wrongFields = validations.input
      .filter(({ path: [place] = [] }) => place === 'body')
      .flatMap(({ path: [, field] = [] }) => field ?? []);
    // Prism takes a declared 422 for what does not fit. The service says 400, and means another thing by 422.
    return { code: String(output.statusCode === 422 ? 400 : output.statusCode), wrongFields };
  };
}

const isProtected = ({ security = [] }: PrismOperation): boolean =>
  security.length > 0 && security.every((schemes) => schemes.length > 0);

async function readAsJson(ctx: Context, { request }: PrismOperation): Promise<unknown> {
  const content = request?.body?.contents?.find(({ mediaType }) => mediaType === JSON_TYPE);
  if (!content?.schema) return undefined;
  const { data, isForm } = await readBody(ctx.req, MAX_BODY_BYTES);
  return coerceBody(data, content.schema as Schema, isForm);
}

function answerFromExamples(ofPath: PrismOperation[], judge: Judge): Middleware {
  const byMethod = new Map(ofPath.map((one) => [one.method.toUpperCase(), one]));
  const allow = allowOf(byMethod);
  return async (ctx) => {
    ctx.set({ Allow: allow, Vary: 'Accept' });
    const operation = byMethod.get(ctx.method === 'HEAD' ? 'GET' : ctx.method);
    if (ctx.method === 'OPTIONS') ctx.status = 204;
    else if (!operation) throw new MethodNotAllowed(ctx.method);
    else {
      const wish = readWish(ctx) ?? (await deservedWish(ctx, operation, judge));
      send(ctx, operation, choose(ctx, operation, wish));
    }
  };
}

async function deservedWish(ctx: Context, operation: PrismOperation, judge: Judge): Promise<Wish> {
  negotiate(ctx, new URLSearchParams(ctx.querystring));
  return wishOf(ctx, operation, await judge(ctx, operation));
}
