import type { Knex } from 'knex';

// A row per login. A rotation changes unindexed columns only, so that its update stays on the page (HOT).
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('token_family', (table) => {
    table.uuid('id').primary({ constraintName: 'token_family_pkey' });
    table.integer('user_id').notNullable();
    table.integer('token_version').notNullable();
    table.integer('generation').notNullable().defaultTo(0);
    table.string('current_jti', 255).notNullable();
    table.string('previous_jti', 255);
    table.timestamp('rotated_at');
    table.timestamp('created_at').notNullable();
    table.timestamp('expires_at').notNullable();
    table.timestamp('last_used_at');
    table.string('user_agent', 512);
    table.specificType('ip', 'inet');
    table.timestamp('revoked_at');
    table.string('revoked_reason', 32);
    table.index(['user_id'], 'token_family_user_id_idx');
    table
      .foreign('user_id', 'token_family_user_id_fkey')
      .references('users.id')
      .onDelete('CASCADE');
  });
  await knex.raw('ALTER TABLE token_family SET (fillfactor = 80)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('token_family');
}
