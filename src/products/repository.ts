import type { Knex } from 'knex';
import type { OperationRequest, OperationResponse } from '../contract.ts';
import { wireTime } from '../db.ts';
import { entityTagOf, satisfiesIfMatch } from '../entity-tag.ts';
import { NotFound, PreconditionFailed } from '../errors.ts';
import { statement } from '../statement.ts';
import type { Statement } from '../statement.ts';

/** A row in the form that goes out: the price and the times are text. */
export type Product = Extract<OperationResponse<'retrieveProduct'>, { status: 200 }>['body'];
/** What its owner may write; a field left out keeps its value, or gets the column's default. */
export type ProductFields = OperationRequest<'partialUpdateProduct'>['body'];
type NewProduct = ProductFields & { owner: number };
export type ProductQuery = Knex.QueryBuilder<Product, Product[]>;

/** Every product in wire form, for filters and pages to narrow. Qualify the columns there: the times are text here. */
export function selectProducts(db: Knex): ProductQuery {
  return db('product').select<Product[]>(wireColumns(db));
}

export async function getProduct(id: number, db: Knex): Promise<Product> {
  return found(await selectOne({ id: possibleId(id) }, db));
}

export async function productOwner(id: number, db: Knex): Promise<number> {
  return found(await selectOwner({ id: possibleId(id) }, db)).owner;
}

export async function productTag(id: number, db: Knex): Promise<string> {
  return entityTagOf(await getProduct(id, db));
}

/**
 * Acts on a product that is still one of those that the field of `If-Match` names. The row is held until the act is
 * done, so that of several acts with one tag one succeeds.
 */
export async function ifUnchanged<Result>(
  { id, ifMatch }: { id: number; ifMatch: string | undefined },
  act: (db: Knex) => Promise<Result>,
  db: Knex,
): Promise<Result> {
  if (ifMatch === undefined) return act(db);
  return db.transaction(async (trx) => {
    const product = found(await holdOne({ id: possibleId(id) }, trx));
    if (!satisfiesIfMatch(ifMatch, entityTagOf(product))) throw new PreconditionFailed();
    return act(trx);
  });
}

export async function insertProduct(product: NewProduct, db: Knex): Promise<Product> {
  const given = FIELDS.filter((field) => product[field] !== undefined);
  return found(await insertWith(given)(product, db));
}

export async function changeProduct(
  id: number,
  changes: ProductFields,
  db: Knex,
): Promise<Product> {
  return found(await changeOne({ ...changes, id: possibleId(id) }, db));
}

export async function deleteProduct(id: number, db: Knex): Promise<void> {
  found(await deleteOne({ id: possibleId(id) }, db));
}

function found<Row>([row]: Row[]): Row {
  if (row === undefined) throw new NotFound('No Product matches the given query.');
  return row;
}

// A path may name a number that no bigint holds: it is an id that no product has, and no error of the database.
function possibleId(id: number): number | null {
  return Number.isSafeInteger(id) ? id : null;
}

function wireColumns(db: Knex): (string | Knex.Raw)[] {
  const times = ['created_at', 'updated_at'].map((column) => wireTime('product', column, db));
  return ['id', 'name', 'description', 'price', 'stock', 'owner', ...times];
}

interface Which {
  id: number | null;
}

const one = (builder: Knex, id: never): ProductQuery =>
  selectProducts(builder).where('product.id', id);
const selectOne = statement<Which, Product>('find product', (builder, { id }) => one(builder, id));
const holdOne = statement<Which, Product>('hold product', (builder, { id }) =>
  one(builder, id).forUpdate(),
);
const selectOwner = statement<Which, { owner: number }>('find product owner', (builder, { id }) =>
  builder('product').where({ id }).select('owner'),
);
const deleteOne = statement<Which, Which>('delete product', (builder, { id }) =>
  builder('product').where({ id }).delete().returning('id'),
);

const FIELDS = ['name', 'description', 'price', 'stock'] as const;
type Field = (typeof FIELDS)[number];

// No field may be null, so that null can stand for one that is left out.
const changeOne = statement<Which & ProductFields, Product>('change product', (builder, values) => {
  const changed = FIELDS.map((field) => [
    field,
    builder.raw('coalesce(?, ??)', [values[field] as never, field]),
  ]);
  return builder('product')
    .where({ id: values.id })
    .update({ ...Object.fromEntries(changed), updated_at: builder.fn.now() })
    .returning(wireColumns(builder));
});

const inserts = new Map<string, Statement<NewProduct, Product>>();

// Only a column that an INSERT does not name gets its default, so that each choice of fields is another statement.
function insertWith(given: readonly Field[]): Statement<NewProduct, Product> {
  const name = `insert product of ${given.join(', ')}`;
  let known = inserts.get(name);
  if (!known) {
    known = statement(name, (builder, values) => {
      const columns = [...given, 'owner' as const].map((column) => [column, values[column]]);
      return builder('product').insert(Object.fromEntries(columns)).returning(wireColumns(builder));
    });
    inserts.set(name, known);
  }
  return known;
}
