import jwt from '@fastify/jwt';
import Fastify from 'fastify';
import pg from 'pg';

// Fastify as its documentation has it: schemas for what comes in and goes out, @fastify/jwt with its cache of
// verified tokens, named statements on a pool of pg.

const { DATABASE_URL, PORT, HOST = '127.0.0.1', SIGNING_KEY } = process.env;
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

const PAGE = 25;
const COLUMNS = 'id, name, description, price, stock, owner, created_at, updated_at';

const product = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    description: { type: 'string' },
    price: { type: 'string' },
    stock: { type: 'integer' },
    owner: { type: 'integer' },
    created_at: { type: 'string', format: 'date-time' },
    updated_at: { type: 'string', format: 'date-time' },
  },
};
const productPage = {
  type: 'object',
  properties: {
    next: { type: ['string', 'null'] },
    previous: { type: 'null' },
    results: { type: 'array', items: product },
  },
};
const newProduct = {
  type: 'object',
  required: ['name', 'price'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    description: { type: 'string', default: '' },
    price: { type: 'string', pattern: '^\\d{1,8}(\\.\\d{1,2})?$' },
    stock: { type: 'integer', minimum: 0, maximum: 2147483647, default: 0 },
  },
};
const cursorQuery = {
  type: 'object',
  properties: { cursor: { type: 'integer', minimum: 1 } },
};
const tokenBody = {
  type: 'object',
  required: ['token'],
  properties: { token: { type: 'string', maxLength: 4096 } },
};

const app = Fastify({ logger: { level: 'error' } });
await app.register(jwt, {
  secret: SIGNING_KEY,
  verify: { algorithms: ['HS256'], cache: 10_000 },
});

async function requireAccessToken(request, reply) {
  try {
    await request.jwtVerify();
  } catch {
    return reply.code(401).send({ detail: 'Authentication failed.' });
  }
  if (request.user.token_type !== 'access')
    return reply.code(401).send({ detail: 'Token has wrong type.' });
}

app.get('/healthz', async () => ({}));

app.get(
  '/products/',
  {
    onRequest: requireAccessToken,
    schema: { querystring: cursorQuery, response: { 200: productPage } },
  },
  async ({ query: { cursor } }) => {
    const { rows } = await pool.query(
      cursor === undefined
        ? {
            name: 'first-page',
            text: `SELECT ${COLUMNS} FROM product ORDER BY id DESC LIMIT ${PAGE + 1}`,
          }
        : {
            name: 'next-page',
            text: `SELECT ${COLUMNS} FROM product WHERE id < $1 ORDER BY id DESC LIMIT ${PAGE + 1}`,
            values: [cursor],
          },
    );
    const results = rows.slice(0, PAGE);
    const next =
      rows.length > PAGE ? `http://${HOST}:${PORT}/products/?cursor=${results.at(-1).id}` : null;
    return { next, previous: null, results };
  },
);

app.post(
  '/products/',
  { onRequest: requireAccessToken, schema: { body: newProduct, response: { 201: product } } },
  async ({ body: { name, description, price, stock }, user }, reply) => {
    const { rows } = await pool.query({
      name: 'insert-product',
      text: `INSERT INTO product (name, description, price, stock, owner)
        VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
      values: [name, description, price, stock, user.user_id],
    });
    return reply.code(201).send(rows[0]);
  },
);

app.post('/verify_token/', { schema: { body: tokenBody } }, async ({ body }, reply) => {
  try {
    app.jwt.verify(body.token);
    return {};
  } catch {
    return reply.code(401).send({ detail: 'Token is invalid' });
  }
});

await app.listen({ host: HOST, port: Number(PORT) });
