import type { Knex } from 'knex';

// CONCURRENTLY, so that logins and refreshes go on while it is built; no transaction allows that.
export const config = { transaction: false };

// The live sessions of a user lie side by side, in the order of time, however many others ended. With user_id in
// front it also serves the deletion of a user. A rotation changes none of its columns: it stays on its page (HOT).
export async function up(knex: Knex): Promise<void> {
  // An attempt that was interrupted leaves an invalid one behind.
  await knex.raw('DROP INDEX CONCURRENTLY IF EXISTS token_family_standing_idx');
  await knex.raw(
    `CREATE INDEX CONCURRENTLY token_family_standing_idx
     ON token_family (user_id, (revoked_at IS NULL), token_version, id)`,
  );
  await knex.raw('DROP INDEX CONCURRENTLY IF EXISTS token_family_user_id_id_idx');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX CONCURRENTLY IF EXISTS token_family_user_id_id_idx');
  await knex.raw(
    'CREATE INDEX CONCURRENTLY token_family_user_id_id_idx ON token_family (user_id, id)',
  );
  await knex.raw('DROP INDEX CONCURRENTLY IF EXISTS token_family_standing_idx');
}
