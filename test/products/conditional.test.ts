import test from 'ava';
import type { ExecutionContext } from 'ava';
import { insertProduct } from '../../src/products/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { RequestOptions } from '../support/client.ts';
import { createUser } from '../support/factories.ts';

const STALE = { detail: 'The current version is not one that If-Match names: read it again.' };
const NO_PRODUCT = { detail: 'No Product matches the given query.' };
const DENIED = { detail: 'You do not have permission to perform this action.' };
const CHAIR = { name: 'Chair', price: '5.00' };

interface Shop extends TestApp {
  path: string;
  /** The product's tag before anything was done to it. */
  tag: string;
  as: (options?: RequestOptions) => RequestOptions;
  asOther: (options?: RequestOptions) => RequestOptions;
}

async function startShop(t: ExecutionContext): Promise<Shop> {
  const app = await startApp(t);
  const [owner, other] = [await createUser(app), await createUser(app)];
  const { id } = await insertProduct({ ...CHAIR, owner: owner.id }, app.db);
  const path = `/products/${id}/`;
  const by =
    ({ token }: { token: string }) =>
    (options: RequestOptions = {}): RequestOptions => ({
      authorization: `Token ${token}`,
      ...options,
    });
  const tag = await tagAt(app, path, by(owner)());
  return { ...app, path, tag, as: by(owner), asOther: by(other) };
}

async function tagAt(
  { client }: Pick<TestApp, 'client'>,
  path: string,
  options: RequestOptions,
): Promise<string> {
  const { headers } = await client.get(path, options);
  return headers.get('etag') ?? '';
}

const seen = (tag: string): RequestOptions => ({ headers: { 'If-Match': tag } });
const known = (tag: string): RequestOptions => ({ headers: { 'If-None-Match': tag } });

test('a product has one tag, whoever reads it and however it was written', async (t) => {
  const { client, path, tag, as, asOther } = await startShop(t);

  const created = await client.post('/products/', as({ json: CHAIR }));
  const copy = `/products/${(created.body as { id: number }).id}/`;
  const changed = await client.patch(path, as({ json: { stock: 3 } }));
  const replaced = await client.put(copy, as({ json: { ...CHAIR, stock: 4 } }));

  t.regex(tag, /^"[\w-]{43}"$/);
  t.is(changed.headers.get('etag'), await tagAt({ client }, path, asOther()));
  t.is(replaced.headers.get('etag'), await tagAt({ client }, copy, as()));
  const tags = [tag, created, changed, replaced].map((one) =>
    typeof one === 'string' ? one : one.headers.get('etag'),
  );
  t.is(new Set(tags).size, 4);
});

test('a tag changes with each field, by whatever way it was changed, and with nothing else', async (t) => {
  const { client, db, path, tag, as } = await startShop(t);
  const tags = [tag];

  for (const change of [
    `name = 'chair'`,
    `description = 'Soft.'`,
    `price = 5.01`,
    `stock = 1`,
    `updated_at = updated_at + interval '1 microsecond'`,
    `created_at = created_at - interval '1 microsecond'`,
    `owner = owner + 1`,
  ]) {
    await db.raw(`UPDATE product SET ${change}`);
    tags.push(await tagAt({ client }, path, as()));
    await db.raw('UPDATE product SET stock = stock');
    t.is(tags.at(-1), await tagAt({ client }, path, as()));
  }

  t.is(new Set(tags).size, 8);
});

test('a reader who has the current version gets a 304 without a body, and any other the product', async (t) => {
  const { client, path, tag, as } = await startShop(t);
  const { body } = await client.get(path, as());

  for (const field of [tag, `W/${tag}`, `"x", ${tag}`, '*'])
    for (const method of ['GET', 'HEAD']) {
      const answer = await client.request(method, path, as(known(field)));
      t.deepEqual([field, method, answer.status, answer.text], [field, method, 304, '']);
      const sent = ['etag', 'vary', 'content-type'].map((name) => answer.headers.get(name));
      t.deepEqual(sent, [tag, 'Accept', null]);
    }
  for (const field of ['"x"', tag.replaceAll('"', ''), '', `${tag} ${tag}`]) {
    const answer = await client.get(path, as(known(field)));
    t.deepEqual([field, answer.status, answer.body], [field, 200, body]);
  }
  await client.patch(path, as({ json: {} }));
  t.is((await client.get(path, as(known(tag)))).status, 200);
});

test('indented JSON has the weak form of the tag, which is good for reading and not for writing', async (t) => {
  const { client, path, tag, as } = await startShop(t);
  const indented = { Accept: 'application/json; indent=2' };

  const answer = await client.get(path, as({ headers: indented }));
  const again = await client.get(
    path,
    as({ headers: { ...indented, 'If-None-Match': `W/${tag}` } }),
  );
  const written = await client.patch(path, as({ json: {}, ...seen(`W/${tag}`) }));

  t.is(answer.headers.get('etag'), `W/${tag}`);
  t.deepEqual([again.status, again.headers.get('etag')], [304, `W/${tag}`]);
  t.deepEqual([written.status, written.body], [412, STALE]);
});

test('nothing else carries a tag', async (t) => {
  const { client, path, as, asOther } = await startShop(t);

  const answers = [
    await client.get('/', as()),
    await client.get('/auth/users/me/', as()),
    await client.get('/healthz'),
    await client.get('/openapi.json'),
    await client.get('/products/', as()),
    await client.get('/products', as()),
    await client.get('/products/0/', as()),
    await client.delete(path, asOther()),
    await client.delete(path, as()),
  ];

  t.deepEqual(
    answers.map(({ headers }) => headers.get('etag')),
    answers.map(() => null),
  );
});

const WRITES: [method: string, json: object | undefined, status: number][] = [
  ['PUT', CHAIR, 200],
  ['PATCH', { stock: 1 }, 200],
  ['DELETE', undefined, 204],
];

test('PUT, PATCH and DELETE with If-Match work on the version that was seen, and on no other', async (t) => {
  const { client, path, as, ...app } = await startShop(t);

  for (const [method, json, status] of WRITES) {
    const { body, ...before } = await client.get(path, as());
    const tag = before.headers.get('etag') ?? '';
    for (const field of ['"x"', `W/${tag}`, tag.replaceAll('"', ''), '', `${tag}; ${tag}`]) {
      const refused = await client.request(method, path, as({ json, ...seen(field) }));
      t.deepEqual([method, field, refused.status, refused.body], [method, field, 412, STALE]);
    }
    const headers = { 'If-Match': '"x"', Accept: 'application/problem+json' };
    const problem = await client.request(method, path, as({ json, headers }));
    t.is((problem.body as { code: string }).code, 'precondition_failed');
    t.deepEqual((await client.get(path, as())).body, body);
    const done = await client.request(method, path, as({ json, ...seen(`"x", ${tag}`) }));
    t.deepEqual([method, done.status], [method, status]);
    const again = await client.request(method, path, as({ json, ...seen(tag) }));
    t.deepEqual([again.status, again.body], method === 'DELETE' ? [404, NO_PRODUCT] : [412, STALE]);
  }
  t.deepEqual(await app.db('product').select('id'), []);
});

test('If-Match: * works on any version of what is there', async (t) => {
  const { client, path, as } = await startShop(t);

  const changed = await client.patch(path, as({ json: { stock: 2 }, ...seen('*') }));
  const gone = await client.delete(path, as(seen('*')));
  const missing = await client.delete(path, as(seen('*')));

  t.deepEqual([changed.status, gone.status, missing.status], [200, 204, 404]);
  t.deepEqual(missing.body, NO_PRODUCT);
});

test('credentials, object and permission come before the precondition, and the body after it', async (t) => {
  const { client, path, tag, as, asOther } = await startShop(t);
  const broken = { raw: '{' };
  const stale = { 'If-Match': '"x"', 'Content-Type': 'application/json' };

  const answers = [
    await client.patch(path, { ...broken, headers: stale }),
    await client.patch('/products/0/', as({ ...broken, headers: stale })),
    await client.patch(path, asOther({ ...broken, headers: stale })),
    await client.patch(path, as({ ...broken, headers: stale })),
    await client.patch(path, as({ ...broken, headers: { ...stale, 'If-Match': tag } })),
  ];

  t.deepEqual(
    answers.map(({ status }) => status),
    [401, 404, 403, 412, 400],
  );
  t.deepEqual(answers[2]?.body, DENIED);
  t.deepEqual(answers[3]?.body, STALE);
});

test('a change that was made on what is no longer there is not lost on anybody', async (t) => {
  const { client, path, as } = await startShop(t);
  const buy = async (tag: string, stock: number) =>
    client.patch(path, as({ json: { stock }, ...seen(tag) }));
  const { body } = await client.patch(path, as({ json: { stock: 10 } }));
  const tag = await tagAt({ client }, path, as());
  const { stock } = body as { stock: number };

  const first = await buy(tag, stock - 1);
  const second = await buy(tag, stock - 1);
  const again = await buy(await tagAt({ client }, path, as()), 8);

  t.deepEqual([first.status, second.status, again.status], [200, 412, 200]);
  t.is((again.body as { stock: number }).stock, 8);
});

test('of concurrent changes or deletions of one version one is made', async (t) => {
  const { client, path, as } = await startShop(t);
  const race = async (count: number, method: string, json?: object) => {
    const tag = await tagAt({ client }, path, as());
    const write = async () => client.request(method, path, as({ json, ...seen(tag) }));
    const answers = await Promise.all(Array.from({ length: count }, write));
    return answers.toSorted((one, other) => one.status - other.status);
  };

  for (const json of [{ stock: 1 }, {}, CHAIR]) {
    const [winner, ...others] = await race(20, 'PATCH', json);
    t.is(winner?.headers.get('etag'), await tagAt({ client }, path, as()));
    t.deepEqual([...new Set(others.map(({ status }) => status))], [412]);
  }
  const deletions = await race(5, 'DELETE');
  t.deepEqual(
    deletions.map(({ status }) => status),
    [204, 404, 404, 404, 404],
  );
});
