import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';
import { isUnavailable, isUnstorable } from '../db.ts';
import { ApiError, ParseError, ServiceUnavailable, ValidationError } from '../errors.ts';
import type { Problem } from '../problems.ts';
import { PROBLEMS } from '../problems.ts';
import { acceptedBy, sendJson, sendProblem } from './json.ts';

/** What goes out for anything that was thrown. What is no ApiError is told to nobody. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isUnavailable(error)) return new ServiceUnavailable({ cause: error });
  if (isUnstorable(error)) return new ParseError('Malformed request.', { cause: error });
  return new ApiError('error', 'Internal server error.', { cause: error });
}

/** A refusal after RFC 9457. It says what `body` says, and always has a code. */
function problemOf(refusal: ApiError, request_id: string): Problem {
  const { code, status, detail } = refusal;
  const { title } = PROBLEMS[code];
  const errors = refusal instanceof ValidationError && { errors: inputProblems(refusal) };
  return { type: `/problems#${code}`, title, status, detail, code, ...errors, request_id };
}

const inputProblems = ({ errors }: ValidationError): Problem['errors'] =>
  Object.entries(errors).flatMap(([field, reasons]) =>
    reasons.map((reason) => ({ field, ...reason })),
  );

/**
 * The one place where a refusal becomes a status, headers and a body. `check` sees every answer, refusals included, and
 * what it throws becomes an answer as well.
 */
export function errorResponse(log: Logger, check: (ctx: Context) => void = () => {}): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      refuse(ctx, error);
    }
    try {
      check(ctx);
    } catch (error) {
      refuse(ctx, error);
    }
  };

  function refuse(ctx: Context, error: unknown): void {
    const refusal = toApiError(error);
    const { requestId } = ctx.state;
    if (refusal.status >= 500)
      log.error({ requestId, err: refusal.cause ?? refusal }, 'request failed');
    if (refusal.status === 401) ctx.set('WWW-Authenticate', ctx.state.challenge);
    // A client is told how clients do it, where users are told how users do (RFC 6749, 5.2).
    ctx.set(refusal.headers);
    ctx.vary('Accept');
    if (acceptedBy(ctx).prefersProblem) sendProblem(ctx, problemOf(refusal, requestId));
    else sendJson(ctx, refusal.status, refusal.body);
  }
}
