import type { Knex } from 'knex';

// Refresh tokens that belong to no family (simplejwt issued them) and are used up: blacklisted by a
// caller, or rotated into the family named here.
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('blacklisted_token', (table) => {
    table.string('jti', 255).primary({ constraintName: 'blacklisted_token_pkey' });
    table.uuid('family_id');
    table.timestamp('blacklisted_at').notNullable();
    table.timestamp('expires_at').notNullable();
    table.index(['expires_at'], 'blacklisted_token_expires_at_idx');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('blacklisted_token');
}
