import type { Knex } from 'knex';
import type { Config } from './config.ts';

/** All of the outside world that a request can reach. */
export interface Deps {
  config: Config;
  db: Knex;
  now: () => Date;
}
