import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import type { ExecutionContext } from 'ava';
import knex from 'knex';
import type { Knex } from 'knex';
import pLimit from 'p-limit';
import type { OpenChannel } from '../../src/channel.ts';
import { connect, overPglite } from '../../src/db.ts';
import { migrateLatest } from '../../src/schema.ts';
import { testConfig } from './config.ts';

// The service gives up on a connection after a second, which a machine full of tests may well take.
const PATIENT = { connectTimeout: 30_000 };

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
  const template = new Blob([readFileSync(await embeddedTemplate())]);
  const pglite = await PGlite.create({ loadDataDir: template, extensions: { pg_trgm } });
  const { db, openChannel } = await overPglite(pglite);
  channels.set(db, openChannel);
  t.teardown(async () => {
    await db.destroy();
    await pglite.close();
  });
  return db;
}

// Made once per state of the migrations and shared by all test processes: initdb takes seconds.
async function embeddedTemplate(): Promise<string> {
  const file = path.join(os.tmpdir(), `latchkey-test-template-${migrationsDigest()}.tar`);
  if (existsSync(file)) return file;
  const pglite = await PGlite.create({ extensions: { pg_trgm } });
  const { db } = await overPglite(pglite);
  await migrateLatest(db);
  await db.destroy();
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
export async function connectTo(t: ExecutionContext, url: string, times = PATIENT): Promise<Knex> {
  const database = await connect(testConfig({ DATABASE_URL: url }), times);
  channels.set(database.db, database.openChannel);
  t.teardown(database.close);
  return database.db;
}

/** The URL of a migrated, empty database on a server, dropped when the test ends. */
export async function createServerDatabase(t: ExecutionContext, server: string): Promise<string> {
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
    const { db } = await connect(testConfig({ DATABASE_URL: url }), PATIENT);
    await migrateLatest(db);
    await db.destroy();
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
