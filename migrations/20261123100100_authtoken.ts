import type { Knex } from 'knex';

// The key itself is stored nowhere: its SHA-256 finds it, AES-256-GCM keeps it for the next login.
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('authtoken', (table) => {
    table.integer('user_id').primary({ constraintName: 'authtoken_pkey' });
    table.binary('digest').notNullable().unique({ indexName: 'authtoken_digest_key' });
    table.binary('ciphertext').notNullable();
    table.string('key_id', 16).notNullable();
    table.timestamp('created').notNullable();
    table.foreign('user_id', 'authtoken_user_id_fkey').references('users.id').onDelete('CASCADE');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('authtoken');
}
