import type { Knex } from 'knex';
import { migrateDown, migrateLatest, migrationStatus } from '../schema.ts';

export interface MigrateOptions {
  down?: boolean;
  status?: boolean;
}

export async function migrate({ down, status }: MigrateOptions, db: Knex): Promise<string> {
  if (status) return describeStatus(await migrationStatus(db));
  if (down) return describe('Took back', await migrateDown(db)) || 'Nothing to take back.';
  return describe('Applied', await migrateLatest(db)) || 'Nothing to apply.';
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
