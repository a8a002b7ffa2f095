import type { Knex } from 'knex';

// A user's sessions page by page, in the order of time that a UUID v7 has. Neither column ever changes, so that a
// rotation stays on its page (HOT).
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('token_family', (table) => {
    table.index(['user_id', 'id'], 'token_family_user_id_id_idx');
    table.dropIndex(['user_id'], 'token_family_user_id_idx');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('token_family', (table) => {
    table.index(['user_id'], 'token_family_user_id_idx');
    table.dropIndex(['user_id', 'id'], 'token_family_user_id_id_idx');
  });
}
