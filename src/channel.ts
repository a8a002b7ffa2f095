import type { PGlite } from '@electric-sql/pglite';
import type { Knex } from 'knex';
import pg from 'pg';

/** A connection of its own, on which revocations are heard of. */
export interface Channel {
  /** Parameters `$1`, `$2` … once each, in order. Rejects in a second where the server, or the way to it, is frozen. */
  query: <Row>(sql: string, values: (string | number)[]) => Promise<Row[]>;
  close: () => Promise<void>;
}

export interface ChannelEvents {
  /** Something was revoked by a transaction that has committed. */
  onNotify: () => void;
  onEnd: () => void;
}

export type OpenChannel = (events: ChannelEvents) => Promise<Channel>;

const NAME = 'revocation';
const TIMEOUT_MS = 1000;
const CLOSE_MS = 300;

export function serverChannel(url: string): OpenChannel {
  return async ({ onNotify, onEnd }) => {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'latchkey revocations',
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      // What nobody waits for any more is not to go on in the server.
      statement_timeout: TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('notification', onNotify);
    // Both come for most losses, and only one of them for some.
    client.on('error', onEnd).on('end', onEnd);
    try {
      await client.connect();
      await client.query(`LISTEN ${NAME}`);
    } catch (error) {
      void end(client);
      throw error;
    }
    return {
      query: async (sql, values) => (await client.query(sql, values)).rows,
      close: () => end(client),
    };
  };
}

// A farewell to a frozen server is never answered.
async function end(client: pg.Client): Promise<void> {
  const { stream } = (client as ClientWithStream).connection;
  const timer = setTimeout(() => stream.destroy(), CLOSE_MS);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}

// What pg's Client has beyond its documented side.
type ClientWithStream = pg.Client & { connection: { stream: { destroy: () => void } } };

/**
 * Over the one session that the service has as well. Queries go through knex, which waits for the end of an
 * open transaction: PGlite itself would run them inside it.
 */
export function embeddedChannel(pglite: PGlite, db: Knex): OpenChannel {
  return async ({ onNotify }) => {
    const unlisten = await pglite.listen(NAME, onNotify);
    return {
      query: async (sql, values) => (await db.raw(sql.replace(/\$\d/g, '?'), values)).rows,
      close: () => unlisten(),
    };
  };
}
