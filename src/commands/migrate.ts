import type { Knex } from 'knex';
import { migrateDown, migrateLatest, migrationStatus } from '../db.ts';
import type { Database } from '../db.ts';
import { CommandFailure } from './failure.ts';

export interface MigrateOptions {
  down?: boolean;
  status?: boolean;
}

export async function migrate({ down, status }: MigrateOptions, db: Knex): Promise<string> {
  if (status) return describeStatus(await migrationStatus(db));
  if (down) return describe('Took back', await migrateDown(db)) || 'Nothing to take back.';
  return describe('Applied', await migrateLatest(db)) || 'Nothing to apply.';
}

/** The embedded database belongs to one process, which migrates it; a server is migrated by command only. */
export async function prepareSchema({ db, embedded }: Database): Promise<void> {
  if (embedded) {
    await migrateLatest(db);
    return;
  }
  const { pending } = await migrationStatus(db);
  if (pending.length > 0)
    throw new CommandFailure(
      `The database lacks these migrations: ${pending.join(', ')}. Apply them with: npm run manage -- migrate`,
    );
}

// Knex gives a path or a name, depending on the direction.
function describe(verb: string, files: string[]): string {
  return files.map((file) => `${verb} ${file.split('/').at(-1)}`).join('\n');
}

function describeStatus({ applied, pending }: { applied: string[]; pending: string[] }): string {
  return [...applied.map((name) => `[X] ${name}`), ...pending.map((name) => `[ ] ${name}`)].join(
    '\n',
  );
}
