import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Knex } from 'knex';
import type { Database } from './db.ts';
import { OperatorError } from './errors.ts';

const DIRECTORY = path.join(import.meta.dirname, '../migrations');
const MIGRATIONS: Knex.MigratorConfig = {
  directory: DIRECTORY,
  extension: 'ts',
  loadExtensions: ['.ts'],
  tableName: 'migrations',
};

/** Applies what is pending; the names of what was applied. */
export async function migrateLatest(db: Knex): Promise<string[]> {
  const [, names] = await db.migrate.latest(MIGRATIONS);
  return names;
}

/** Takes the newest migration back; its name, in a list. */
export async function migrateDown(db: Knex): Promise<string[]> {
  const [, names] = await db.migrate.down(MIGRATIONS);
  return names;
}

/** The embedded database belongs to one process, which migrates it; a server is migrated by command only. */
export async function prepareSchema({ db, embedded }: Database): Promise<void> {
  if (embedded) {
    await migrateLatest(db);
    return;
  }
  const { pending } = await migrationStatus(db);
  if (pending.length > 0) throw new PendingMigrations(pending);
}

class PendingMigrations extends OperatorError {
  constructor(pending: string[]) {
    super(
      `The database lacks these migrations: ${pending.join(', ')}. ` +
        'Apply them with: npm run manage -- migrate',
    );
    this.name = 'PendingMigrations';
  }
}

/** In one query, since every start waits for it. */
export async function migrationStatus(db: Knex): Promise<{ applied: string[]; pending: string[] }> {
  const applied = await appliedMigrations(db);
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.ts'));
  return { applied, pending: files.toSorted().filter((name) => !applied.includes(name)) };
}

const UNDEFINED_TABLE = '42P01';

async function appliedMigrations(db: Knex): Promise<string[]> {
  try {
    return await db('migrations').orderBy('id').pluck('name');
  } catch (error) {
    // A database without any.
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return [];
    throw error;
  }
}
