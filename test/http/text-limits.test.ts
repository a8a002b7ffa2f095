import test from 'ava';
import { startApp } from '../support/app.ts';
import { createUser } from '../support/factories.ts';

const LARGE = { detail: 'Request body is too large.' };

test('a text beyond the length that the contract allows is refused by what it travels in', async (t) => {
  const { client, base, deps } = await startApp(t);
  const authorization = `Token ${(await createUser({ deps })).token}`;
  const username = 'a'.repeat(16_385);
  const product = { name: 'Oak chair', price: '49.90', description: 'a'.repeat(262_145) };

  for (const options of [{ json: { username } }, { form: { username } }])
    t.like(await client.post('/auth/token/', options), { status: 413, body: LARGE });
  t.like(await client.post('/products/', { authorization, json: product }), {
    status: 413,
    body: LARGE,
  });
  // The contract is silent about what no middleware sees.
  const head = await fetch(`${base}/products/?name=${username}`, { headers: { authorization } });
  t.is(head.status, 431);
});
