import createClient from 'openapi-fetch';
import type { paths } from '../../../generated/openapi.ts';

const {
  LATCHKEY_URL: baseUrl = '',
  LATCHKEY_USERNAME: username = '',
  LATCHKEY_PASSWORD: password = '',
} = process.env;

const connect = (authorization?: string) =>
  createClient<paths>({
    baseUrl,
    ...(authorization && { headers: { Authorization: authorization } }),
  });

/** Asks the mock for a refusal by name. The service ignores this. */
const prefer = (status: number, example: string) => ({
  headers: { Prefer: `code=${status}, example=${example}` },
});

function got<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const say = (step: string, facts: object = {}): void =>
  console.log(JSON.stringify({ step, ...facts }));

const anonymous = connect();
const credentials = { body: { username, password } };

const { token } = got(await anonymous.POST('/auth/token/', credentials));
const byToken = connect(`Token ${token}`);
say('get token', { username: got(await byToken.GET('/auth/users/me/')).username });

const pair = got(await anonymous.POST('/login/', credentials));
let byJwt = connect(`Bearer ${pair.access}`);
say('log in', { username: got(await byJwt.GET('/auth/users/me/')).username });

const { access, refresh = pair.refresh } = got(
  await anonymous.POST('/refresh_token/', { body: { refresh: pair.refresh } }),
);
byJwt = connect(`Bearer ${access}`);
say('refresh', { username: got(await byJwt.GET('/auth/users/me/')).username });

let pages = 0;
let products = 0;
let next: string | null = '/products/?page_size=2';
while (next !== null) {
  const query: Record<string, string> = Object.fromEntries(new URL(next, baseUrl).searchParams);
  const page: { next: string | null; results: unknown[] } = got(
    await byJwt.GET('/products/', {
      params: { query: { ...query, page_size: 2 } },
    }),
  );
  pages += 1;
  products += page.results.length;
  next = page.next;
}
say('walk', { pages, products });

const { name, price } = got(
  await byToken.POST('/products/', { body: { name: 'Oak chair', price: '49.90', stock: 12 } }),
);
say('create', { name, price });

const invalid = await byToken.POST('/products/', {
  body: { name: 'Oak chair', price: 'free' },
  ...prefer(400, 'price_not_a_number'),
});
if (!invalid.error || !('price' in invalid.error)) throw new Error('no error of the price');
const sentences: string[] | undefined = invalid.error.price;
say('get a typed error', { status: invalid.response.status, price: sentences });

got(await anonymous.POST('/blacklist_token/', { body: { refresh } }));
say('log out');

const refused = await anonymous.POST('/refresh_token/', {
  body: { refresh },
  ...prefer(401, 'token_blacklisted'),
});
if (!refused.error || !('code' in refused.error)) throw new Error('no code');
const { code, detail } = refused.error;
say('be refused a refresh', { status: refused.response.status, code, detail });

const { response: ended } = await byToken.POST('/auth/token/logout/');
if (!ended.ok) throw new Error(`${ended.status}`);
say('end the token');

const stranger = await byToken.GET('/auth/users/me/', prefer(401, 'token_unknown'));
say('be refused by the token', {
  status: stranger.response.status,
  detail: stranger.error?.detail,
});
