import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';

// The practical limit: what is left when nothing is done twice and nothing is converted. Tokens are verified at
// first sight and remembered; rows stay the text that PostgreSQL sent; one function knows how a product is written.

const { DATABASE_URL, PORT, HOST = '127.0.0.1', SIGNING_KEY } = process.env;
const key = createSecretKey(Buffer.from(SIGNING_KEY));
const types = { getTypeParser: () => (text) => text };
const pool = new pg.Pool({
  connectionString: DATABASE_URL,
  max: 10,
  types,
  options: '-c TimeZone=UTC',
});

const PAGE = 25;
const REMEMBERED = 10_000;
const COLUMNS = 'id, name, description, price, stock, owner, created_at, updated_at';
const FIRST = {
  name: 'first',
  text: `SELECT ${COLUMNS} FROM product ORDER BY id DESC LIMIT ${PAGE + 1}`,
  rowMode: 'array',
};
const NEXT = {
  name: 'next',
  text: `SELECT ${COLUMNS} FROM product WHERE id < $1 ORDER BY id DESC LIMIT ${PAGE + 1}`,
  rowMode: 'array',
};
const NEXT_LINK = `http://${HOST}:${PORT}/products/?cursor=`;

// exp by the text of the token.
const verified = new Map();

function isAuthenticated({ headers: { authorization } }) {
  if (authorization === undefined) return false;
  const exp = verified.get(authorization) ?? verify(authorization);
  return exp !== undefined && exp > Date.now() / 1000;
}

function verify(authorization) {
  const [header, payload, signature = ''] = authorization.slice('Bearer '.length).split('.');
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { exp, token_type } = JSON.parse(Buffer.from(payload, 'base64url'));
  if (token_type !== 'access') return undefined;
  if (verified.size >= REMEMBERED) verified.clear();
  verified.set(authorization, exp);
  return exp;
}

// 2026-11-23 08:00:00.5+00 as 2026-11-23T08:00:00.5Z.
const time = (text) => `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;

const product = ([id, name, description, price, stock, owner, created, updated]) =>
  `{"id":${id},"name":${JSON.stringify(name)},"description":${JSON.stringify(description)},"price":"${price}",` +
  `"stock":${stock},"owner":${owner},"created_at":"${time(created)}","updated_at":"${time(updated)}"}`;

function page(rows) {
  let results = '';
  const count = Math.min(rows.length, PAGE);
  for (let index = 0; index < count; index += 1)
    results += index === 0 ? product(rows[index]) : `,${product(rows[index])}`;
  const next = rows.length > PAGE ? `"${NEXT_LINK}${rows[PAGE - 1][0]}"` : 'null';
  return `{"next":${next},"previous":null,"results":[${results}]}`;
}

function send(response, status, text) {
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    })
    .end(text);
}

createServer((request, response) => {
  const [path, cursor] = request.url.split('?cursor=');
  if (path === '/healthz') return send(response, 200, '{}');
  if (path !== '/products/') return send(response, 404, '{}');
  if (!isAuthenticated(request)) return send(response, 401, '{}');
  const statement = cursor === undefined ? FIRST : { ...NEXT, values: [cursor] };
  pool.query(statement).then(
    ({ rows }) => send(response, 200, page(rows)),
    (error) => {
      console.error(error);
      send(response, 500, '{}');
    },
  );
}).listen(Number(PORT), HOST);
