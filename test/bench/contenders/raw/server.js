import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';

// Nothing but Node and the driver: an HMAC by hand, a prepared statement, rows parsed into objects with Dates and
// written by JSON.stringify. What a framework is measured against.

const { DATABASE_URL, PORT, HOST = '127.0.0.1', SIGNING_KEY } = process.env;
const key = createSecretKey(Buffer.from(SIGNING_KEY));
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

const COLUMNS = 'id, name, description, price, stock, owner, created_at, updated_at';
const PAGE = 25;
const FIRST = {
  name: 'first',
  text: `SELECT ${COLUMNS} FROM product ORDER BY id DESC LIMIT ${PAGE + 1}`,
};
const NEXT = {
  name: 'next',
  text: `SELECT ${COLUMNS} FROM product WHERE id < $1 ORDER BY id DESC LIMIT ${PAGE + 1}`,
};
const INSERT = {
  name: 'insert',
  text: `INSERT INTO product (name, description, price, stock, owner) VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
};

/** The claims of a valid access token; undefined for anything else. */
function verify(token) {
  const [header, payload, signature, ...rest] = token.split('.');
  if (signature === undefined || rest.length > 0) return undefined;
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { alg } = JSON.parse(Buffer.from(header, 'base64url'));
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  if (alg !== 'HS256' || claims.exp <= Date.now() / 1000) return undefined;
  return claims;
}

function authenticate({ headers: { authorization = '' } }) {
  const claims = authorization.startsWith('Bearer ') ? verify(authorization.slice(7)) : undefined;
  return claims?.token_type === 'access' ? claims : undefined;
}

async function listProducts(url) {
  const cursor = url.searchParams.get('cursor');
  const { rows } = await pool.query(
    cursor === null ? FIRST : { ...NEXT, values: [Number(cursor)] },
  );
  const results = rows.slice(0, PAGE);
  const next =
    rows.length > PAGE ? `http://${HOST}:${PORT}/products/?cursor=${results.at(-1).id}` : null;
  return [200, { next, previous: null, results }];
}

async function createProduct(body, { user_id }) {
  const { name, description = '', price, stock = 0 } = body;
  const isValid =
    typeof name === 'string' &&
    name.length >= 1 &&
    name.length <= 200 &&
    typeof description === 'string' &&
    /^\d{1,8}(\.\d{1,2})?$/.test(price) &&
    Number.isInteger(stock) &&
    stock >= 0 &&
    stock <= 2147483647;
  if (!isValid) return [400, { detail: 'The input is not valid.' }];
  const { rows } = await pool.query({
    ...INSERT,
    values: [name, description, price, stock, user_id],
  });
  return [201, rows[0]];
}

async function readJson(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks));
}

async function answer(request) {
  const url = new URL(request.url, `http://${HOST}`);
  if (url.pathname === '/healthz') return [200, {}];
  if (url.pathname === '/verify_token/')
    return verify((await readJson(request)).token)
      ? [200, {}]
      : [401, { detail: 'Token is invalid' }];
  if (url.pathname !== '/products/') return [404, { detail: 'Not found.' }];
  const claims = authenticate(request);
  if (!claims) return [401, { detail: 'Authentication failed.' }];
  return request.method === 'POST'
    ? createProduct(await readJson(request), claims)
    : listProducts(url);
}

createServer(async (request, response) => {
  let [status, body] = [500, {}];
  try {
    [status, body] = await answer(request);
  } catch (error) {
    console.error(error);
  }
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    })
    .end(text);
}).listen(Number(PORT), HOST);
