import { createClient, OPERATIONS } from '../../../generated/clients/typescript/latchkey.ts';
import type { AuthCredentials, Ops } from '../../../generated/clients/typescript/latchkey.ts';

const {
  LATCHKEY_URL: serverUrl = '',
  LATCHKEY_USERNAME: username = '',
  LATCHKEY_PASSWORD: password = '',
} = process.env;

const connect = (auth: AuthCredentials = {}) =>
  createClient<Ops>(OPERATIONS, { serverUrl, auth, errorMode: 'result' });

/** Asks the mock for a refusal by name. The service ignores this. */
const prefer = (status: number, example: string) => ({
  headers: { Prefer: `code=${status}, example=${example}` },
});

function got<T>({ data, error }: { data: T | undefined; error: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const say = (step: string, facts: object = {}): void =>
  console.log(JSON.stringify({ step, ...facts }));

const anonymous = connect();

const { token } = got(await anonymous.obtainAuthToken({ body: { username, password } }));
const byToken = connect({ apiKey: { tokenAuth: `Token ${token}` } });
say('get token', { username: got(await byToken.retrieveMe()).username });

const pair = got(await anonymous.login({ body: { username, password } }));
const byJwt = connect({ bearer: pair.access });
say('log in', { username: got(await byJwt.retrieveMe()).username });

const { access, refresh = pair.refresh } = got(
  await anonymous.refreshToken({ body: { refresh: pair.refresh } }),
);
byJwt.auth.bearer(access);
say('refresh', { username: got(await byJwt.retrieveMe()).username });

let pages = 0;
let products = 0;
for await (const { results } of byJwt.listProducts.pages({ query: { page_size: 2 } })) {
  pages += 1;
  products += results.length;
}
say('walk', { pages, products });

const { name, price } = got(
  await byToken.createProduct({ body: { name: 'Oak chair', price: '49.90', stock: 12 } }),
);
say('create', { name, price });

const invalid = await byToken.createProduct(
  { body: { name: 'Oak chair', price: 'free' } },
  prefer(400, 'price_not_a_number'),
);
if (!invalid.error || !('price' in invalid.error)) throw new Error('no error of the price');
const sentences: string[] | undefined = invalid.error.price;
say('get a typed error', { status: invalid.response.status, price: sentences });

got(await anonymous.blacklistToken({ body: { refresh } }));
say('log out');

const refused = await anonymous.refreshToken(
  { body: { refresh } },
  prefer(401, 'token_blacklisted'),
);
if (!refused.error || !('code' in refused.error)) throw new Error('no code');
const { code, detail } = refused.error;
say('be refused a refresh', { status: refused.response.status, code, detail });

const { response: ended } = await byToken.destroyAuthToken();
if (!ended.ok) throw new Error(`${ended.status}`);
say('end the token');

const stranger = await byToken.retrieveMe({}, prefer(401, 'token_unknown'));
say('be refused by the token', {
  status: stranger.response.status,
  detail: stranger.error?.detail,
});
