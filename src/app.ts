import path from 'node:path';
import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import { contractDocument } from './contract.ts';
import type { RequestDeps } from './deps.ts';
import { answerCheck } from './http/answer-check.ts';
import { createApi } from './http/api.ts';
import { cors } from './http/cors.ts';
import { addContractRoutes } from './http/docs.ts';
import { errorResponse } from './http/error-response.ts';
import { addHealthRoutes } from './http/health.ts';
import { addProblemPage } from './http/problem-page.ts';
import { requestId } from './http/request-id.ts';
import { requestLog } from './http/request-log.ts';
import { contractRoutes, notFound } from './http/router.ts';
import { securityHeaders } from './http/security-headers.ts';
import { keysAreHealthy } from './jwt/key-watch.ts';
import { handlers, owners, security, tags } from './operations.ts';

export interface App {
  koa: Koa;
  /** From here on `/readyz` refuses, so that a load balancer looks elsewhere. */
  stopping: () => void;
}

/** The service without its socket. Throws if the contract and the code do not fit together. */
export async function createApp(deps: RequestDeps, log: Logger): Promise<App> {
  const parts = { handlers, owners, security, tags };
  const api = await createApi(contractDocument(), parts, deps.config);
  let isStopping = false;
  const pages = new Router();
  addHealthRoutes(pages, deps, () => isStopping || !keysAreHealthy(deps.config));
  addProblemPage(pages);
  addContractRoutes(pages, path.join(import.meta.dirname, '..'), deps.config.DOCS);

  const koa = new Koa();
  koa.use(requestId);
  koa.use(requestLog(log, deps.metrics));
  koa.use(async (ctx, next) => {
    await next();
    // Tells a client that keeps its connection to take another one, so that none is cut off in mid-request.
    if (isStopping) ctx.set('Connection', 'close');
  });
  koa.use(securityHeaders);
  koa.use(
    cors(
      deps.config,
      api.operations.map(({ method }) => method),
    ),
  );
  koa.use(errorResponse(log, answerCheck(contractDocument(), deps.config, log)));
  koa.use(contractRoutes(api, parts, deps));
  koa.use(pages.routes());
  koa.use(notFound);
  // What reaches this is our own fault, or a socket that broke while we wrote.
  koa.on('error', (error, ctx) =>
    log.error({ requestId: ctx?.state.requestId, err: error }, 'unhandled'),
  );
  return {
    koa,
    stopping: () => {
      isStopping = true;
    },
  };
}
