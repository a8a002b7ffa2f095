import type { Knex } from 'knex';

// Finds a name whatever its case, for those who register. Not unique: whoever runs the service may make such names.
// Folded both ways, since ς and σ share an upper case, ẞ and ß a lower case.
export async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE INDEX users_username_folded_idx ON users (lower(upper(username)))');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX users_username_folded_idx');
}
