import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { isUnavailable, isUnstorable } from '../db.ts';
import { ApiError, ParseError, ServiceUnavailable } from '../errors.ts';
import { sendJson } from './json.ts';

/** What goes out for anything that was thrown. What is no ApiError is told to nobody. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isUnavailable(error)) return new ServiceUnavailable({ cause: error });
  if (isUnstorable(error)) return new ParseError('Malformed request.', { cause: error });
  return new ApiError(500, { detail: 'Internal server error.' }, { cause: error });
}

/** The one place where a refusal becomes a status, headers and a body. */
export function errorResponse(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const refusal = toApiError(error);
      const { requestId } = ctx.state;
      if (refusal.status >= 500)
        log.error({ requestId, err: refusal.cause ?? refusal }, 'request failed');
      if (refusal.status === 401) ctx.set('WWW-Authenticate', ctx.state.challenge);
      // A client is told how clients do it, where users are told how users do (RFC 6749, 5.2).
      ctx.set(refusal.headers);
      sendJson(ctx, refusal.status, refusal.body);
    }
  };
}
