import type { Knex } from 'knex';

// How often somebody was counted, in the shape that rate-limiter-flexible expects. UNLOGGED: a count is written at
// every attempt and worth little, and after a crash it begins anew. Keys are HMACs, so that it names nobody.
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `CREATE UNLOGGED TABLE rate_limit (
       key varchar(255) CONSTRAINT rate_limit_pkey PRIMARY KEY,
       points integer NOT NULL DEFAULT 0,
       expire bigint
     ) WITH (fillfactor = 70)`,
  );
  await knex.raw('CREATE INDEX rate_limit_expire_idx ON rate_limit (expire)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('rate_limit');
}
