import type { Middleware } from 'koa';

/** What Django's SecurityMiddleware and XFrameOptionsMiddleware send. */
export const securityHeaders: Middleware = (ctx, next) => {
  ctx.set({
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  return next();
};
