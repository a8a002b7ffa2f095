import type { Knex } from 'knex';
import type { OperationRequest, OperationResponse } from '../contract.ts';
import { wireTime } from '../db.ts';
import { entityTagOf, satisfiesIfMatch } from '../entity-tag.ts';
import { NotFound, PreconditionFailed } from '../errors.ts';

/** A row in the form that goes out: the price and the times are text. */
export type Product = Extract<OperationResponse<'retrieveProduct'>, { status: 200 }>['body'];
/** What its owner may write; a field left out keeps its value, or gets the column's default. */
export type ProductFields = OperationRequest<'partialUpdateProduct'>['body'];
export type ProductQuery = Knex.QueryBuilder<Product, Product[]>;

/** Every product in wire form, for filters and pages to narrow. Qualify the columns there: the times are text here. */
export function selectProducts(db: Knex): ProductQuery {
  return db('product').select<Product[]>(wireColumns(db));
}

export async function getProduct(id: number, db: Knex): Promise<Product> {
  return found(await selectProducts(db).where('product.id', possibleId(id)));
}

export async function productOwner(id: number, db: Knex): Promise<number> {
  const rows: { owner: number }[] = await db('product').where('id', possibleId(id)).select('owner');
  return found(rows).owner;
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
    const product = found(
      await selectProducts(trx).where('product.id', possibleId(id)).forUpdate(),
    );
    if (!satisfiesIfMatch(ifMatch, entityTagOf(product))) throw new PreconditionFailed();
    return act(trx);
  });
}

export async function insertProduct(
  product: ProductFields & { owner: number },
  db: Knex,
): Promise<Product> {
  return found(await db('product').insert(product).returning<Product[]>(wireColumns(db)));
}

export async function changeProduct(
  id: number,
  changes: ProductFields,
  db: Knex,
): Promise<Product> {
  const rows = await db('product')
    .where('id', possibleId(id))
    .update({ ...changes, updated_at: db.fn.now() })
    .returning<Product[]>(wireColumns(db));
  return found(rows);
}

export async function deleteProduct(id: number, db: Knex): Promise<void> {
  found(await db('product').where('id', possibleId(id)).delete().returning('id'));
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
