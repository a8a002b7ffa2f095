import express from 'express';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import pg from 'pg';
import { z } from 'zod';

// Express as teams write it: passport-jwt with a text secret, zod for bodies, queries with parameters, res.json. It is
// spared the query for the user that most strategies make at each request.

const { DATABASE_URL, PORT, HOST = '127.0.0.1', SIGNING_KEY } = process.env;
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

const PAGE = 25;
const COLUMNS = 'id, name, description, price, stock, owner, created_at, updated_at';
const NewProduct = z.object({
  name: z.string().min(1).max(200),
  description: z.string().default(''),
  price: z.string().regex(/^\d{1,8}(\.\d{1,2})?$/),
  stock: z.int().min(0).max(2147483647).default(0),
});
const Query = z.object({ cursor: z.coerce.number().int().positive().optional() });

passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: SIGNING_KEY,
      algorithms: ['HS256'],
    },
    (claims, done) =>
      done(null, claims.token_type === 'access' ? { id: Number(claims.user_id) } : false),
  ),
);
const requireUser = passport.authenticate('jwt', { session: false });

const app = express();
app.use(express.json());
app.use(passport.initialize());

app.get('/healthz', (request, response) => response.json({}));

app.get('/products/', requireUser, async (request, response) => {
  const { cursor } = Query.parse(request.query);
  const { rows } =
    cursor === undefined
      ? await pool.query(`SELECT ${COLUMNS} FROM product ORDER BY id DESC LIMIT $1`, [PAGE + 1])
      : await pool.query(`SELECT ${COLUMNS} FROM product WHERE id < $2 ORDER BY id DESC LIMIT $1`, [
          PAGE + 1,
          cursor,
        ]);
  const results = rows.slice(0, PAGE);
  const next =
    rows.length > PAGE ? `http://${HOST}:${PORT}/products/?cursor=${results.at(-1).id}` : null;
  response.json({ next, previous: null, results });
});

app.post('/products/', requireUser, async (request, response) => {
  const { name, description, price, stock } = NewProduct.parse(request.body);
  const { rows } = await pool.query(
    `INSERT INTO product (name, description, price, stock, owner)
     VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
    [name, description, price, stock, request.user.id],
  );
  response.status(201).json(rows[0]);
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  const isInvalid = error instanceof z.ZodError;
  if (!isInvalid) console.error(error);
  response
    .status(isInvalid ? 400 : 500)
    .json({ detail: isInvalid ? error.issues : 'Server error' });
});

app.listen(Number(PORT), HOST);
