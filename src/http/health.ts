import type Router from '@koa/router';
import { migrationStatus } from '../schema.ts';
import type { RequestDeps } from '../deps.ts';
import { ServiceUnavailable } from '../errors.ts';
import { sendJson } from './json.ts';

/** `/healthz`: the process answers. `/readyz`: it can do its work; why not is for the log alone. */
export function addHealthRoutes(
  router: Router,
  { db, live }: RequestDeps,
  isUnfit: () => boolean,
): void {
  router.get('/healthz', (ctx) => sendJson(ctx, 200, { status: 'ok' }));
  let isMigrated = false;
  router.get('/readyz', async (ctx) => {
    if (isUnfit()) throw new ServiceUnavailable();
    // Migrations are looked at until they are complete; from then on a sign of life will do.
    if (isMigrated) await db.raw('SELECT 1');
    else isMigrated = (await migrationStatus(db)).pending.length === 0;
    if (!isMigrated) throw new ServiceUnavailable({ cause: new Error('migrations are pending') });
    if (!live.isFresh())
      throw new ServiceUnavailable({ cause: new Error('revocations cannot be followed') });
    sendJson(ctx, 200, { status: 'ok' });
  });
}
