import type { Middleware } from 'koa';
import type { Config } from '../config.ts';

// Pages of this machine, whatever port a development server has taken.
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** What scripts may send beside the few headers that they always may. */
export const SENT = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Prefer',
  'X-Request-Id',
].join(', ');

/** What scripts may read, likewise. */
export const EXPOSED = [
  'Allow',
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Sunset',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

// Browsers ask again after two hours at the latest.
const MAX_AGE = '7200';

/**
 * Lets pages of the configured origins call the API (CORS); in development, where none is configured, those of this
 * machine. Credentials in the sense of CORS are cookies, of which there are none: a page has to hold a token.
 */
export function cors(
  { CORS_ALLOWED_ORIGINS: listed, NODE_ENV }: Config,
  contractMethods: readonly string[],
): Middleware {
  const isAllowed = (origin: string): boolean =>
    listed?.includes(origin) ?? (NODE_ENV === 'development' && LOOPBACK.test(origin));
  const methods = [...new Set(contractMethods)].join(', ');

  return async (ctx, next) => {
    const origin = ctx.get('Origin');
    if (isAllowed(origin)) {
      ctx.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': EXPOSED,
      });
      // A preflight carries no credentials, so that nobody is asked who sends it. Any other OPTIONS is the API's.
      if (ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== '') {
        ctx.set({
          'Access-Control-Allow-Methods': methods,
          'Access-Control-Allow-Headers': SENT,
          'Access-Control-Max-Age': MAX_AGE,
        });
        ctx.status = 204;
      } else await next();
      ctx.vary('Origin');
    } else {
      await next();
      // What a cache keeps for others must not be given to a page that may read it (Fetch, 3.3.5).
      if (listed) ctx.vary('Origin');
    }
  };
}
