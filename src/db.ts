import { existsSync, mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import knex from 'knex';
import type { Knex } from 'knex';
import pg from 'pg';
import { embeddedChannel, serverChannel } from './channel.ts';
import type { OpenChannel } from './channel.ts';
import type { Config } from './config.ts';
import { OperatorError } from './errors.ts';
import { lockFile } from './file-lock.ts';
import { sharePool } from './statement.ts';

// Ids stay below 2^53. Instants are for our own decisions; those that go out are selected by `wireTime`.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => new Date(text));
pg.types.setTypeParser(pg.types.builtins.TIMESTAMP, toWireTime);

// `2026-11-23 08:00:00.5` -> `2026-11-23T08:00:00.500000Z`: a tenth of a microsecond, where `to_char` takes four.
function toWireTime(text: string): string {
  const time = text.replace(' ', 'T');
  const point = time.indexOf('.');
  return point === -1 ? `${time}Z` : `${time.padEnd(point + 7, '0')}Z`;
}

// Knex would write to the console what is thrown as well, and logged or told to the user there.
const ignore = (): void => {};
const QUIET: Knex.Logger = { warn: ignore, error: ignore, debug: ignore, deprecate: ignore };

/** A row of `users`: Django's auth_user, and the version that ends all tokens when it moves. */
export interface User {
  id: number;
  username: string;
  password: string;
  email: string;
  is_active: boolean;
  is_staff: boolean;
  is_superuser: boolean;
  token_version: number;
  /** What simplejwt issued before is worth nothing; null: there was no change yet that ends tokens. */
  tokens_valid_from: Date | null;
  date_joined: Date;
  last_login: Date | null;
}

/** A user without what only a check of the password needs. */
export type Account = Omit<User, 'password'>;

export interface Database {
  db: Knex;
  openChannel: OpenChannel;
  /** For people: where the data is. Holds no password. */
  description: string;
  embedded: boolean;
  /** Of the pool, and how many wait for one. */
  connections: () => { total: number; idle: number; waiting: number };
  close: () => Promise<void>;
}

/**
 * Connects to DATABASE_URL, or opens the embedded database in DATA_DIR (one process at a time).
 * Times are in milliseconds; a `statementTimeout` of 0 lets a command take its time.
 */
export async function connect(
  config: Config,
  { statementTimeout = 2000, connectTimeout = 1000 } = {},
): Promise<Database> {
  const { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_POOL_SIZE } = config;
  if (DATABASE_URL === undefined) return openEmbedded(config.DATA_DIR);
  const direct = DATABASE_DIRECT_URL ?? DATABASE_URL;
  // What may take its time has settings of its own, which a pooler does not pass on.
  const isPooled = DATABASE_DIRECT_URL !== undefined && statementTimeout > 0;
  const url = isPooled ? DATABASE_URL : direct;
  const times = { statementTimeout, connectTimeout };
  return connectToServer({ url, direct, isPooled }, DATABASE_POOL_SIZE, times);
}

interface ServerUrls {
  url: string;
  /** For what one connection has to itself. */
  direct: string;
  /** `url` is a pooler, whose connections are shared between transactions. */
  isPooled: boolean;
}

function connectToServer(
  { url, direct, isPooled }: ServerUrls,
  poolSize: number,
  { statementTimeout, connectTimeout }: { statementTimeout: number; connectTimeout: number },
): Database {
  const { host, pathname } = new URL(url);
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: connectTimeout,
    // Behind a pooler the role has them: whoever sent them would set them for others, too.
    ...(isPooled ? { Client: UnnamedClient } : sessionSettings(statementTimeout)),
    application_name: 'latchkey',
    max: poolSize,
    idleTimeoutMillis: 30_000,
  });
  if (statementTimeout > 0)
    pool.on('connect', (client) => dropWhenFrozen(client as PgClient, statementTimeout));
  return {
    ...overPool(pool),
    openChannel: serverChannel(direct),
    description: `PostgreSQL at ${host}${pathname}`,
    embedded: false,
  };
}

const sessionSettings = (statementTimeout: number) => ({
  statement_timeout: statementTimeout,
  lock_timeout: 1000,
  // A request takes one core and no compiler: what needs more has to end before others feel it.
  options: '-c max_parallel_workers_per_gather=0 -c jit=off',
});

// The server knows the name of a statement by the connection, and behind a pooler that is another one each time.
class UnnamedClient extends pg.Client {
  override query = ((first: unknown, ...rest: unknown[]) => {
    const isNamed = typeof first === 'object' && first !== null && 'name' in first;
    const query = super.query as (...args: unknown[]) => unknown;
    return query.call(this, isNamed ? { ...first, name: undefined } : first, ...rest);
  }) as pg.Client['query'];
}

/** knex on the pool that named statements run on as well. */
function overPool(pool: pg.Pool): Pick<Database, 'db' | 'connections' | 'close'> {
  // Whoever runs a query hears of the loss of its connection; the pool replaces those that nobody uses.
  pool.on('error', ignore).on('connect', (client) => client.on('error', ignore));
  const db = knex({ client: 'pg', connectionPool: pool, log: QUIET, compileSqlOnError: false });
  sharePool(db, pool);
  const close = async (): Promise<void> => {
    await db.destroy();
    await pool.end();
  };
  const connections = () => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  });
  return { db, connections, close };
}

// The server's own time-out is worth nothing where the server, or the way to it, is frozen: a query that
// hears nothing for long after it ends with its connection.
function dropWhenFrozen(client: PgClient, statementTimeout: number): void {
  const { stream } = client.connection;
  const dropIfSilent = (): void => {
    const { bytesRead } = stream;
    // It may be us who were held up, with the answer in the socket by now: another look decides.
    setTimeout(() => {
      const isSilent = stream.bytesRead === bytesRead;
      if (isSilent && !client.readyForQuery) stream.destroy();
    }, SECOND_LOOK_MS).unref();
  };
  stream.setTimeout(statementTimeout + SECOND_LOOK_MS, dropIfSilent);
}

const SECOND_LOOK_MS = 500;

// What pg's Client has beyond its documented side.
type PgClient = pg.PoolClient & { connection: { stream: Socket }; readyForQuery: boolean };

async function openEmbedded(directory: string): Promise<Database> {
  const unlock = lockDirectory(directory);
  if (process.stderr.isTTY && !existsSync(path.join(directory, 'pgdata')))
    console.error(`Making the embedded database in ${directory}, once: a few seconds …`);
  try {
    // Loaded here only: a replica on a server never pays for the WASM module.
    const { PGlite } = await import('@electric-sql/pglite');
    const { pg_trgm } = await import('@electric-sql/pglite/contrib/pg_trgm');
    const pglite = await PGlite.create(path.join(directory, 'pgdata'), { extensions: { pg_trgm } });
    const over = await overPglite(pglite);
    const close = async (): Promise<void> => {
      await over.close();
      await pglite.close();
      unlock();
    };
    const description = `embedded PostgreSQL in ${directory}`;
    return { ...over, description, embedded: true, close };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The ordinary driver and pool over one PGlite session, which outlives them. */
export async function overPglite(
  pglite: PGlite,
): Promise<Pick<Database, 'db' | 'openChannel' | 'connections' | 'close'>> {
  const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
  const pool = new pg.Pool({
    ...createPgConfig(pglite),
    max: 1,
    idleTimeoutMillis: 0,
    // The session may know statements of the connection before this one.
    onConnect: async (client) => void (await client.query('DEALLOCATE ALL')),
  });
  const over = overPool(pool);
  return { ...over, openChannel: embeddedChannel(pglite, over.db) };
}

// A second process on one PGlite directory would lose data.
function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return lockFile(path.join(directory, 'lock'));
  } catch (error) {
    throw new DatabaseInUse(directory, error);
  }
}

export class DatabaseInUse extends OperatorError {
  constructor(directory: string, cause: unknown) {
    super(
      `The embedded database in ${directory} is in use by another process: stop that one first, ` +
        'or give this one a DATA_DIR of its own, or set DATABASE_URL to a PostgreSQL server.',
      { cause },
    );
    this.name = 'DatabaseInUse';
  }
}

// SQLSTATE classes and codes that say "not now": connection trouble, shutdown, resources, time-outs, conflicts.
const UNAVAILABLE = /^(08|53|57P|57014|55P03|40001|40P01|25006)/;
const NETWORK =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST(UNREACH|DOWN)|ENET(UNREACH|DOWN))$/;
// Knex writes the statement before the driver's words.
const CLIENT_SIDE =
  /(Connection terminated|Connection ended|not queryable|timeout expired|timeout exceeded when trying to connect|Cannot use a pool after calling end|Unable to acquire a connection)/;

/** Whether an error of the driver, the pool or the server means that the database is not there for us now. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return UNAVAILABLE.test(code) || NETWORK.test(code) || CLIENT_SIDE.test(error.message);
}

/** What a person is told of an error for which `isUnavailable` holds. */
export class DatabaseUnavailable extends OperatorError {
  constructor({ description }: Database, cause: unknown) {
    super(`Cannot use the database (${description}): ${reasonOf(cause)}.`, { cause });
    this.name = 'DatabaseUnavailable';
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The error for a host with several addresses has a code and no message.
  return error.message || ('code' in error ? String(error.code) : error.name);
}

// Bad text for a type, out of range, an invalid character; a key that is taken or points nowhere.
const UNSTORABLE = ['22P02', '22003', '22021', '23503', '23505'];

/** Whether PostgreSQL refused a value as such, which is the caller's affair and not an illness of ours. */
export function isUnstorable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return UNSTORABLE.includes(code);
}

/** A column of instants as DRF writes them: in UTC, with microseconds unless there are none. */
export function wireTime(table: string, column: string, db: Knex): Knex.Raw {
  return db.raw(`:table:.:column: AT TIME ZONE 'UTC' AS :column:`, { table, column });
}
