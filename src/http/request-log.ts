import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';

/** One line per request, and what it counts for. Neither query nor headers: both can hold credentials. */
export function requestLog(log: Logger, metrics: Metrics): Middleware {
  return async (ctx, next) => {
    const start = process.hrtime.bigint();
    await next();
    const ms = Number((process.hrtime.bigint() - start) / 10_000n) / 100;
    const { method, path, status, state } = ctx;
    const { requestId, operationId, userId } = state;
    log.info({ requestId, method, path, status, operationId, userId, ms }, 'request');
    metrics.request(operationId, status, ms / 1000);
  };
}
