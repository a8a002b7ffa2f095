import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { registerCompletionHandler } from 'ava';
import type { ExecutionContext } from 'ava';
import knex from 'knex';
import type { Knex } from 'knex';
import pLimit from 'p-limit';
import type { OpenChannel } from '../../src/channel.ts';
import { connect, overPglite } from '../../src/db.ts';
import { migrateLatest } from '../../src/schema.ts';
import { testConfig } from './config.ts';

// The service gives up on a connection after a second, which a machine full of tests may well take.
interface Times {
  connectTimeout: number;
  statementTimeout?: number;
}
const PATIENT: Times = { connectTimeout: 30_000 };

/** A PostgreSQL server to run on in place of embedded databases. */
export const SERVER = process.env.TEST_DATABASE_URL;

// An embedded database takes half a gigabyte, and all tests of a file begin at once.
const inTurnOnThisMachine = pLimit(3);
const admitted = new WeakSet<ExecutionContext>();

const channels = new WeakMap<Knex, OpenChannel>();

/** How revocations are heard of on a database that a function of this file has made. */
export function channelOf(db: Knex): OpenChannel {
  const openChannel = channels.get(db);
  if (!openChannel) throw new Error('not a database of this file');
  return openChannel;
}

/** A migrated, empty database of the test's own, gone when the test ends. On a server where TEST_DATABASE_URL names one. */
export async function createDatabase(t: ExecutionContext): Promise<Knex> {
  if (SERVER !== undefined) return createOnServer(t, SERVER);
  await takeTurn(t);
  return createEmbedded(t);
}

/** Waits until few enough other tests of this file hold an embedded database; lets go when the test ends. */
async function takeTurn(t: ExecutionContext): Promise<void> {
  if (admitted.has(t)) return;
  admitted.add(t);
  await new Promise<void>((admit) => {
    void inTurnOnThisMachine(
      () =>
        new Promise<void>((release) => {
          t.teardown(release);
          admit();
        }),
    );
  });
}

async function createEmbedded(t: ExecutionContext): Promise<Knex> {
  const pglite = spare.pop() ?? (await loadTemplate());
  const { db, openChannel, close } = await overPglite(pglite);
  channels.set(db, openChannel);
  t.teardown(async () => {
    await close();
    if (await isLikeNew(pglite)) spare.push(pglite);
    else await pglite.close();
  });
  return db;
}

// Loading the template costs a second of CPU time, emptying a database a few hundredths.
const spare: PGlite[] = [];
// An open database would keep the process of the file alive.
registerCompletionHandler(() => {
  for (const pglite of spare) void pglite.close();
});
const schemas = new WeakMap<PGlite, unknown>();

async function loadTemplate(): Promise<PGlite> {
  const template = new Blob([readFileSync(await embeddedTemplate())]);
  const pglite = await PGlite.create({ loadDataDir: template, extensions: { pg_trgm } });
  schemas.set(pglite, await schemaOf(pglite));
  return pglite;
}

/** Empties a database that a test is done with; false where the test changed more than rows. */
async function isLikeNew(pglite: PGlite): Promise<boolean> {
  try {
    for (const statement of ['ROLLBACK', 'RESET ALL', 'UNLISTEN *', 'DEALLOCATE ALL'])
      await pglite.exec(statement);
    await pglite.exec('SELECT pg_advisory_unlock_all()');
    if ((await schemaOf(pglite)) !== schemas.get(pglite)) return false;
    await pglite.exec(`TRUNCATE ${(await tablesOf(pglite)).join(', ')} RESTART IDENTITY`);
    return true;
  } catch {
    return false;
  }
}

async function tablesOf(pglite: PGlite): Promise<string[]> {
  const { rows } = await pglite.query<{ name: string }>(
    `SELECT format('%I', tablename) AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename NOT LIKE 'migrations%'`,
  );
  return rows.map(({ name }) => name);
}

// Everything that a migration makes, and which of them have run.
async function schemaOf(pglite: PGlite): Promise<unknown> {
  const { rows } = await pglite.query<{ digest: string }>(`
    WITH ours AS (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT md5(string_agg(line, ';' ORDER BY line)) AS digest FROM (
      SELECT pg_get_functiondef(oid) AS line FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
      UNION ALL SELECT concat(pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE tgrelid IN (SELECT * FROM ours)
      UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, atttypmod, attnotnull, attisdropped)
        FROM pg_attribute WHERE attrelid IN (SELECT * FROM ours)
      UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
      UNION ALL SELECT concat(conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid IN (SELECT * FROM ours)
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT name FROM migrations
    ) AS lines`);
  return rows[0]?.digest;
}

// Made once per state of the migrations and shared by all test processes: initdb takes seconds.
async function embeddedTemplate(): Promise<string> {
  const file = path.join(os.tmpdir(), `latchkey-test-template-${migrationsDigest()}.tar`);
  if (existsSync(file)) return file;
  const pglite = await PGlite.create({ extensions: { pg_trgm } });
  const { db, close } = await overPglite(pglite);
  await migrateLatest(db);
  await close();
  const dump = await pglite.dumpDataDir('none');
  await pglite.close();
  const unfinished = `${file}.${randomUUID()}`;
  writeFileSync(unfinished, Buffer.from(await dump.arrayBuffer()));
  renameSync(unfinished, file);
  return file;
}

async function createOnServer(t: ExecutionContext, server: string): Promise<Knex> {
  const url = await createServerDatabase(t, server);
  return connectTo(t, url);
}

/** A connection to a server, closed when the test ends. */
export async function connectTo(
  t: ExecutionContext,
  url: string,
  times: Times = PATIENT,
): Promise<Knex> {
  const database = await connect(testConfig({ DATABASE_URL: url }), times);
  channels.set(database.db, database.openChannel);
  t.teardown(database.close);
  return database.db;
}

/** The URL of a migrated, empty database on a server, dropped when the test ends. */
export async function createServerDatabase(
  t: Pick<ExecutionContext, 'teardown'>,
  server: string,
): Promise<string> {
  const template = await serverTemplate(server);
  const name = `latchkey_test_${randomUUID().replaceAll('-', '')}`;
  const admin = knex({ client: 'pg', connection: server, pool: { min: 0, max: 1 } });
  await inTurn(admin, () => admin.raw('CREATE DATABASE ?? TEMPLATE ??', [name, template]));
  t.teardown(async () => {
    await admin.raw('DROP DATABASE ?? WITH (FORCE)', [name]);
    await admin.destroy();
  });
  return databaseNamed(server, name);
}

async function serverTemplate(server: string): Promise<string> {
  const template = `latchkey_template_${migrationsDigest()}`;
  const admin = knex({ client: 'pg', connection: server, pool: { min: 0, max: 1 } });
  await inTurn(admin, async () => {
    const { rows } = await admin.raw('SELECT 1 FROM pg_database WHERE datname = ?', [template]);
    if (rows.length > 0) return;
    await admin.raw('CREATE DATABASE ??', [`${template}_new`]);
    const url = databaseNamed(server, `${template}_new`);
    const { db, close } = await connect(testConfig({ DATABASE_URL: url }), PATIENT);
    await migrateLatest(db);
    await close();
    await admin.raw('ALTER DATABASE ?? RENAME TO ??', [`${template}_new`, template]);
  });
  await admin.destroy();
  return template;
}

// CREATE DATABASE fails while another one copies the same template.
async function inTurn(admin: Knex, act: () => Promise<unknown>): Promise<void> {
  await admin.raw('SELECT pg_advisory_lock(7001)');
  try {
    await act();
  } finally {
    await admin.raw('SELECT pg_advisory_unlock(7001)');
  }
}

function databaseNamed(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

function migrationsDigest(): string {
  const directory = path.join(import.meta.dirname, '../../migrations');
  const hash = createHash('sha256').update(process.arch);
  for (const file of readdirSync(directory).toSorted())
    hash.update(file).update(readFileSync(path.join(directory, file)));
  return hash.digest('hex').slice(0, 16);
}
