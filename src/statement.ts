import knex from 'knex';
import type { Knex } from 'knex';
import type pg from 'pg';
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

/** What a query of knex finds that is built for this once; past knex's runner as well. */
export async function rowsOf<Row>(
  query: Knex.QueryBuilder<Row & object, Row[]>,
  db: Knex,
): Promise<Row[]> {
  const { sql: text, bindings } = query.toSQL().toNative();
  const { rows } = await run({ text, values: [...bindings] }, db);
  return rows as Row[];
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

const pools = new WeakMap<object, pg.Pool>();

/** Has statements on `db` run on the pool that it is on, past its runner, which costs more than most queries. */
export function sharePool(db: Knex, pool: pg.Pool): void {
  pools.set(db.client, pool);
}

function run(query: QueryConfig, db: Knex): Promise<QueryResult> {
  const pool = pools.get(db.client);
  return pool ? runOn(pool, query) : runWithin(db, query);
}

function runOn(pool: pg.Pool, query: QueryConfig): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    pool.connect((lost, client, release) => {
      if (!client) reject(lost);
      else
        client.query(query, (error, result) => {
          const isOutdated = isOutdatedPlan(error);
          release(isOutdated);
          if (isOutdated) resolve(runOn(pool, query));
          else if (error) reject(error);
          else resolve(result);
        });
    });
  });
}

// A migration has changed a type since the connection planned it; nothing was run, and another connection plans anew.
const isOutdatedPlan = (error: Error & { routine?: string }): boolean =>
  error?.routine === 'RevalidateCachedQuery';

// A transaction has the one connection, which its client hands out.
async function runWithin(trx: Knex, query: QueryConfig): Promise<QueryResult> {
  const connection = (await trx.client.acquireConnection()) as pg.PoolClient;
  return connection.query(query);
}
