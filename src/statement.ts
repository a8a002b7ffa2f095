import knex from 'knex';
import type { Knex } from 'knex';
import type { QueryConfig, QueryResult } from 'pg';

// Builds SQL, and is connected to nothing.
const builder = knex({ client: 'pg' });

/** Where the value of a name is put at each run. knex takes it for the value itself. */
class Placeholder {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** SQL with `:name` where a value is to be, or a query of knex that has `values` there. */
type Source<Values> =
  | string
  | ((
      builder: Knex,
      values: { readonly [Name in keyof Values]: never },
    ) => Pick<Knex.QueryBuilder, 'toSQL'>);

export type Statement<Values, Row> = (values: Values, db: Knex) => Promise<Row[]>;

/**
 * A query that is built once, and planned once by each connection: a named statement, on the pool that `db` is on
 * or within its transaction.
 */
export function statement<Values extends object, Row>(
  name: string,
  source: Source<Values>,
): Statement<Values, Row> {
  const { text, bindings } = typeof source === 'string' ? readNames(source) : build(source);
  const valueOf = (binding: unknown, values: Values): unknown =>
    binding instanceof Placeholder ? values[binding.name as keyof Values] : binding;
  return async (values, db) => {
    const bound = bindings.map((binding) => valueOf(binding, values));
    const { rows } = await run({ name, text, values: bound }, db);
    return rows as Row[]; // what the SQL selects, its author knows
  };
}

interface Built {
  text: string;
  bindings: readonly unknown[];
}

function build<Values>(source: Exclude<Source<Values>, string>): Built {
  const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) });
  const { sql, bindings } = source(builder, placeholders as never)
    .toSQL()
    .toNative();
  return { text: sql, bindings };
}

// Each name is sent once, however often it stands there. Two colons are a cast.
function readNames(source: string): Built {
  const names: string[] = [];
  const text = source.replaceAll(/(?<!:):([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { text, bindings: names.map((name) => new Placeholder(name)) };
}

// Of knex's client, whose runner costs more than most queries.
interface Connections {
  acquireConnection: () => Promise<Connection>;
  releaseConnection: (connection: Connection) => Promise<void>;
}

interface Connection {
  query: (query: QueryConfig) => Promise<QueryResult>;
}

async function run(query: QueryConfig, db: Knex): Promise<QueryResult> {
  const connections = db.client as Connections;
  const connection = await connections.acquireConnection();
  try {
    return await connection.query(query);
  } finally {
    void connections.releaseConnection(connection);
  }
}
