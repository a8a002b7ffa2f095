import type { ExecutionContext } from 'ava';
import type { Knex } from 'knex';
import type { Config } from '../../src/config.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { createLog } from '../../src/log.ts';
import { NO_METRICS } from '../../src/metrics/metrics.ts';
import { createThrottle } from '../../src/throttle/throttle.ts';
import { startLive } from '../../src/revocation/live.ts';
import { channelOf, createDatabase } from './database.ts';
import { until } from './eventually.ts';

/** What a request can reach, with the revocations of the database followed until the test ends. */
export async function createDeps(
  t: ExecutionContext,
  config: Config,
  { db: given, now = () => new Date() }: { db?: Knex; now?: () => Date } = {},
): Promise<RequestDeps> {
  const db = given ?? (await createDatabase(t));
  const live = await startLive({ openChannel: channelOf(db) }, config, createLog(config));
  t.teardown(live.stop);
  // On a machine full of tests the first look may take longer than the service gives it.
  if (await isThere(db)) await until(live.isFresh);
  // On such a machine a count may take long as well, and must not be made twice.
  const throttle = await createThrottle(config, db, createLog(config), { patienceMs: 30_000 });
  t.teardown(throttle.close);
  return { config, db, now, live, throttle, metrics: NO_METRICS };
}

async function isThere(db: Knex): Promise<boolean> {
  return db.raw('SELECT 1').then(
    () => true,
    () => false,
  );
}
