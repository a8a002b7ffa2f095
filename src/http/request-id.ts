import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';

const WELL_FORMED = /^[A-Za-z0-9._-]{1,128}$/;

/** Names the request, as its caller does where that is fit for a log, and says so with each answer. */
export const requestId: Middleware = (ctx, next) => {
  const given = ctx.get('X-Request-Id');
  const id = WELL_FORMED.test(given) ? given : randomUUID();
  ctx.state.requestId = id;
  ctx.set('X-Request-Id', id);
  return next();
};
