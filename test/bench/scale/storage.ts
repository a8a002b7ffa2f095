import type { Knex } from 'knex';
import type { Cursor } from '../../../src/cursor.ts';
import type { RequestDeps } from '../../../src/deps.ts';
import { getProduct } from '../../../src/products/repository.ts';
import { findAmongAll } from '../../../src/products/seek.ts';
import { refreshTokens, verifyToken } from '../../../src/jwt/tokens.ts';
import { findUserById } from '../../../src/users/repository.ts';
import type { Finding } from '../figure.ts';
import { measured } from '../figure.ts';
import { exchange } from '../http-client.ts';
import { openSession } from '../sessions.ts';
import { inTurn } from '../turns.ts';
import { USER_ID } from './size.ts';
import type { Holder, Size } from './size.ts';

/** What a row takes, and a row in each index of its table. */
export async function bytesPerRow({ rows, deps: { db } }: Size): Promise<Finding[]> {
  const { rows: sizes } = await db.raw<{ rows: { name: string; bytes: number }[] }>(
    `SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes
     FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
     WHERE coalesce(i.indrelid, c.oid) IN ('token_family'::regclass, 'blacklisted_token'::regclass, 'product'::regclass)
     ORDER BY coalesce(i.indrelid, c.oid) DESC, i.indexrelid NULLS FIRST`,
  );
  return sizes.map(({ name, bytes }) => measured(`bytes a row: ${name}`, bytes / rows, 'B'));
}

/** What it takes where one user has as many sessions as a robot makes in a day. */
export async function crowd({ deps, keeping, access }: Size): Promise<Finding[]> {
  const { db } = deps;
  const timed = async (what: string, act: () => Promise<unknown>): Promise<Finding> => {
    const start = performance.now();
    await act();
    return measured(what, performance.now() - start, 'ms');
  };
  const list = async (): Promise<void> => {
    const { status } = await exchange(keeping.origin, '/auth/sessions/', { bearer: access });
    if (status !== 200) throw new Error(`the sessions were not listed: ${status}`);
  };
  const addSessions = async (id: number, set: string): Promise<void> => {
    await db.raw(CROWD, { id, count: CROWD_SIZE });
    await db.raw(`UPDATE token_family SET ${set} WHERE user_id = ? AND user_agent = 'robot'`, [id]);
    await db.raw('VACUUM ANALYZE token_family');
  };
  const count = CROWD_SIZE.toLocaleString('en');
  await addSessions(USER_ID, `revoked_at = now(), user_agent = 'ended'`);
  const ended = await timed(`list sessions of a user of whom ${count} ended`, list);
  await addSessions(USER_ID, `expires_at = now(), user_agent = 'expired'`);
  const expired = await timed(`the same with ${count} that expired and are not deleted yet`, list);
  await addSessions(USER_ID, `user_agent = 'live'`);
  const revoked = await timed(`end ${count} live ones but for the current one`, async () => {
    const json = { keep_current: true };
    const path = '/auth/sessions/revoke_all/';
    const { status, text } = await exchange(keeping.origin, path, {
      method: 'POST',
      bearer: access,
      json,
    });
    if (status !== 200) throw new Error(`the sessions were not ended: ${status} ${text}`);
  });
  await addSessions(LEAVING_ID, `user_agent = 'live'`);
  await db('product').where({ owner: LEAVING_ID }).delete();
  const deleted = await timed(`delete a user with ${count} live sessions, in the database`, () =>
    db('users').where({ id: LEAVING_ID }).delete(),
  );
  return [ended, expired, revoked, deleted];
}

const CROWD_SIZE = 120_000;
const LEAVING_ID = 900;
const CROWD = `
  INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at, user_agent)
  SELECT gen_random_uuid(), :id, 0, n, now(), now() + interval '1 day', 'robot'
  FROM generate_series(1, :count::int) AS n`;

const REPEATS = 500;
const CLIENT = { ip: '127.0.0.1', userAgent: 'latchkey bench' };

/** The log that a session costs when it is opened and when it is rotated, full pages after a checkpoint left out. */
export async function walOfSessions({ deps, rotated }: Size): Promise<Finding[]> {
  const { db } = deps;
  const user = await findUserById(USER_ID, db);
  if (!user) throw new Error('a filled user is not there');
  const rotate = async (turn: number): Promise<void> => {
    const holder = inTurn(rotated, turn);
    holder.refresh = await rotateOnce(holder, deps);
  };
  // Whole pages are logged at their first change: by then these have been.
  for (let turn = 0; turn < rotated.length; turn += 1) await rotate(turn);
  const insert = await walOf(REPEATS, () => openSession(user, deps), db);
  const rotation = await walOf(REPEATS, rotate, db);
  const hot = await hotRotations(rotated.slice(0, 20), deps);
  return [
    measured('log (WAL) of a login that opens a session', insert, 'B'),
    measured('log (WAL) of a rotation', rotation, 'B'),
    { what: 'rotations that stayed on their page (HOT)', ...hot },
  ];
}

async function rotateOnce({ refresh }: Holder, deps: RequestDeps): Promise<string> {
  const { refresh: child } = await refreshTokens(refresh, CLIENT, deps);
  if (child === undefined) throw new Error('a refresh did not rotate');
  return child;
}

async function walOf(
  times: number,
  act: (turn: number) => Promise<unknown>,
  db: Knex,
): Promise<number> {
  const before = await position(db);
  for (let turn = 0; turn < times; turn += 1) await act(turn);
  return ((await position(db)) - before) / times;
}

async function position(db: Knex): Promise<number> {
  const { rows } = await db.raw<{ rows: { bytes: string }[] }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS bytes`,
  );
  return Number(rows[0]?.bytes);
}

async function hotRotations(
  holders: Holder[],
  deps: RequestDeps,
): Promise<{ value: string; goal: string; isMet: boolean }> {
  const counters = `sum(pg_stat_get_xact_tuples_updated(oid)) AS all, sum(pg_stat_get_xact_tuples_hot_updated(oid)) AS hot`;
  const grown = await countersOf(counters, deps.db, async (trx) => {
    for (const holder of holders) holder.refresh = await rotateOnce(holder, { ...deps, db: trx });
  });
  const [all, hot] = [Number(grown.all), Number(grown.hot)];
  return { value: `${hot} of ${all}`, goal: 'all', isMet: all >= holders.length && hot === all };
}

/** How many pages of tables and indexes the service's own statements touch. */
export async function pagesTouched({
  rows,
  deps,
  rotated,
  blacklisted,
}: Size): Promise<[string, number][]> {
  const first = { offset: 0, reverse: false, positions: [], id: undefined };
  const far = { ...first, positions: [String(rows - 399 * 25 + 1)] };
  const [refresh = '', black = ''] = [rotated[0]?.refresh, blacklisted[0]];
  const page = (cursor: Cursor) => (db: Knex) =>
    findAmongAll(db)([{ field: 'id', order: 'desc' }], cursor, 26);
  const acts: [string, (db: Knex) => Promise<unknown>][] = [
    ['page 1', page(first)],
    ['page 400', page(far)],
    ['retrieve', (db) => getProduct(1 + Math.floor(rows / 3), db)],
    ['refresh with rotation', (db) => refreshTokens(refresh, CLIENT, { ...deps, db })],
    ['look-up of a blacklisted token', (db) => verifyToken(black, { ...deps, db }).catch(() => {})],
  ];
  const counts: [string, number][] = [];
  const counter = 'sum(pg_stat_get_xact_blocks_fetched(oid)) AS pages';
  for (const [name, act] of acts) {
    // Once before, since a statement that is planned reads more.
    for (const isCounted of [false, true]) {
      const { pages } = await countersOf(counter, deps.db, act);
      if (isCounted) counts.push([name, Number(pages)]);
    }
  }
  return counts;
}

class Undo extends Error {}

/** By how much the counters of the tables and indexes grow; what was done is undone. */
async function countersOf(
  counters: string,
  db: Knex,
  act: (trx: Knex) => Promise<unknown>,
): Promise<Record<string, number>> {
  const grown: Record<string, number> = {};
  const transaction = db.transaction(async (trx) => {
    const read = async (): Promise<Record<string, string>> => {
      const { rows } = await trx.raw(
        `SELECT ${counters} FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')`,
      );
      return rows[0];
    };
    // They count from before the transaction.
    const before = await read();
    await act(trx);
    const after = await read();
    for (const name of Object.keys(after)) grown[name] = Number(after[name]) - Number(before[name]);
    throw new Undo();
  });
  await transaction.catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
  return grown;
}
