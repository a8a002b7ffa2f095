import type { Knex } from 'knex';
import type { Config } from './config.ts';
import type { Account } from './db.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Live } from './revocation/live.ts';
import type { Throttle } from './throttle/throttle.ts';

/** All of the outside world that a command can reach. */
export interface Deps {
  config: Config;
  db: Knex;
  now: () => Date;
}

/** All of the outside world that a request can reach. */
export interface RequestDeps extends Deps {
  live: Live;
  throttle: Throttle;
  metrics: Metrics;
  customClaims?: CustomClaims;
}

/** Claims of the deployment's own, computed anew for each token. They cannot take the place of ours. */
export type CustomClaims = (user: Account) => Readonly<Record<string, unknown>>;
