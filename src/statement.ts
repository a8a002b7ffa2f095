import knex from 'knex';
import type { Knex } from 'knex';
import type { QueryConfig, QueryResult } from 'pg';

/** Where a value of the name is put at each run. */
type Placeholder = { readonly placeholder: string };

type Build<Values> = (
  builder: Knex,
  values: { readonly [Name in keyof Values]: never },
) => Pick<Knex.QueryBuilder, 'toSQL'>;

// Builds SQL, and is connected to nothing.
const builder = knex({ client: 'pg' });

/**
 * A query that knex builds once and each connection plans once: a named statement, on the pool that `db` is on or
 * within its transaction. `build` puts each of `values` where a value is to be.
 */
export function statement<Values extends object, Row>(
  name: string,
  build: Build<Values>,
): (values: Values, db: Knex) => Promise<Row[]> {
  const placeholders = new Proxy({}, { get: (_, placeholder) => ({ placeholder }) });
  // knex hands on what it is given as a value, so that the placeholders come back in the order of the SQL.
  const { sql: text, bindings } = build(builder, placeholders as never)
    .toSQL()
    .toNative();
  const names = bindings.map((value) => (value as Placeholder).placeholder as keyof Values);
  return async (values, db) => {
    const query = { name, text, values: names.map((one) => values[one]) };
    return (await run<Row>(query, db)).rows;
  };
}

// Of knex's client, whose runner costs more than the query.
interface Connections {
  acquireConnection: () => Promise<Connection>;
  releaseConnection: (connection: Connection) => Promise<void>;
}

interface Connection {
  query: (query: QueryConfig) => Promise<QueryResult>;
}

async function run<Row>(query: QueryConfig, db: Knex): Promise<{ rows: Row[] }> {
  const connections = db.client as Connections;
  const connection = await connections.acquireConnection();
  try {
    return await connection.query(query);
  } finally {
    await connections.releaseConnection(connection);
  }
}
