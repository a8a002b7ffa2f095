import type { Middleware } from 'koa';
import type { Logger } from 'pino';

/** One line per request. Neither query nor headers: both can hold credentials. */
export function requestLog(log: Logger): Middleware {
  return async (ctx, next) => {
    const start = process.hrtime.bigint();
    await next();
    const ms = Number((process.hrtime.bigint() - start) / 10_000n) / 100;
    const { method, path, status, state } = ctx;
    const { requestId, operationId } = state;
    log.info({ requestId, method, path, status, operationId, ms }, 'request');
  };
}
