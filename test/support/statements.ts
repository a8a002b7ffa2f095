import type { Knex } from 'knex';
import type pg from 'pg';

/** What the connections of a database's pool execute while `act` runs, BEGIN and COMMIT included. */
export type StatementsDuring = (act: () => Promise<unknown>) => Promise<string[]>;

// The embedded database has one session for requests and for the look at what was revoked.
const LOOK = /pg_current_snapshot\(\)/;

/** Watches the driver's clients, so that nothing between it and a handler is left out. */
export function watchStatements(db: Knex): StatementsDuring {
  // knex keeps the pool that it was given in its configuration.
  const pool = db.client.config.connectionPool as pg.Pool;
  const watched = new WeakSet<pg.PoolClient>();
  let seen: string[] = [];
  pool.on('acquire', (client) => {
    if (watched.has(client)) return;
    watched.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown; // one for its many signatures
    const watch = (...args: unknown[]): unknown => {
      const [asked] = args as [string | { text: string }];
      seen.push(typeof asked === 'string' ? asked : asked.text);
      return query(...args);
    };
    Object.assign(client, { query: watch });
  });
  return async (act) => {
    seen = [];
    await act();
    return seen.filter((text) => !LOOK.test(text));
  };
}
