import type { Knex } from 'knex';

// What a request with an Idempotency-Key was answered, written by the transaction that did what it asked for.
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('idempotency_key', (table) => {
    table
      .specificType('id', 'bigint GENERATED ALWAYS AS IDENTITY')
      .primary({ constraintName: 'idempotency_key_pkey' });
    table.integer('user_id').notNullable();
    table.string('operation', 64).notNullable();
    table.string('key', 255).notNullable();
    // SHA-256 of the request: another one under the same key is refused.
    table.binary('fingerprint').notNullable();
    table.smallint('status').notNullable();
    // Not jsonb, which would put its members in another order.
    table.json('body').notNullable();
    table.timestamp('expires_at').notNullable();
    table.unique(['user_id', 'operation', 'key'], {
      indexName: 'idempotency_key_user_id_operation_key_key',
    });
    table.index(['expires_at'], 'idempotency_key_expires_at_idx');
    table
      .foreign('user_id', 'idempotency_key_user_id_fkey')
      .references('users.id')
      .onDelete('CASCADE');
    table.check('octet_length(fingerprint) = 32', [], 'idempotency_key_fingerprint_check');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('idempotency_key');
}
