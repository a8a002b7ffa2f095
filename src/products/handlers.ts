import type { Knex } from 'knex';
import type { Handler } from '../contract.ts';
import { answerOnce } from '../idempotency/answer-once.ts';
import { filterProducts, readOrdering } from './filters.ts';
import { findMatches } from './matches.ts';
import { paginate } from './pagination.ts';
import {
  changeProduct,
  deleteProduct,
  getProduct,
  ifUnchanged,
  insertProduct,
  selectProducts,
} from './repository.ts';
import { findAmong, findAmongAll } from './seek.ts';

export const listProducts: Handler<'listProducts'> = async ({ query, url }, deps) => {
  const { config, db } = deps;
  const { ordering, cursor, page_size, ...filters } = query;
  const isFiltered = Object.keys(filters).length > 0;
  const findAll = page_size === undefined ? findAmongAll(db) : findAmong(selectProducts(db), db);
  const find = isFiltered
    ? findMatches(filterProducts(selectProducts(db), filters), deps)
    : findAll;
  const size = Math.min(page_size ?? config.PAGE_SIZE, config.MAX_PAGE_SIZE);
  const page = { ordering: readOrdering(ordering), cursor, size, url };
  return { status: 200, body: await paginate(find, page) };
};

export const createProduct: Handler<'createProduct'> = async (request, deps) => {
  const product = { ...request.body, owner: request.user.id };
  const create = async (db: Knex) =>
    ({ status: 201, body: await insertProduct(product, db) }) as const;
  return answerOnce('createProduct', request, create, deps);
};

export const retrieveProduct: Handler<'retrieveProduct'> = async ({ params }, { db }) => {
  return { status: 200, body: await getProduct(params.id, db) };
};

export const updateProduct: Handler<'updateProduct'> = async (
  { params: { id }, headers, body },
  { db },
) => {
  const seen = { id, ifMatch: headers['If-Match'] };
  return { status: 200, body: await ifUnchanged(seen, (trx) => changeProduct(id, body, trx), db) };
};

export const partialUpdateProduct: Handler<'partialUpdateProduct'> = async (
  { params: { id }, headers, body },
  { db },
) => {
  const seen = { id, ifMatch: headers['If-Match'] };
  return { status: 200, body: await ifUnchanged(seen, (trx) => changeProduct(id, body, trx), db) };
};

export const destroyProduct: Handler<'destroyProduct'> = async (
  { params: { id }, headers },
  { db },
) => {
  const seen = { id, ifMatch: headers['If-Match'] };
  await ifUnchanged(seen, (trx) => deleteProduct(id, trx), db);
  return { status: 204 };
};
