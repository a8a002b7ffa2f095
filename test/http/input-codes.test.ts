import test from 'ava';
import { contractDocument } from '../../src/contract.ts';
import type { Reason } from '../../src/errors.ts';
import type { InputCode } from '../../src/problems.ts';
import { startApp } from '../support/app.ts';
import type { RequestOptions } from '../support/client.ts';
import { createUser, logIn } from '../support/factories.ts';

interface Described {
  components: { schemas: { InputProblem: { properties: { code: { enum: string[] } } } } };
}
const { components } = contractDocument() as Described;
const codes = components.schemas.InputProblem.properties.code.enum;

type Request = [method: string, path: string, options?: RequestOptions];

const product = (fields: object): Request => [
  'POST',
  '/products/',
  { json: { name: 'Oak chair', price: '1', ...fields } },
];
const account = (fields: object): Request => [
  'POST',
  '/auth/users/',
  { json: { username: 'erin', password: 'a battery, a staple', ...fields } },
];
const passwords = { current_password: 'x', new_password: 'a battery, a staple' };

test('every code of an input is told', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app, { username: 'alice' });
  const { refresh } = await logIn(app, user);
  await app.client.post('/blacklist_token/', { json: { refresh } });

  const faults: [code: InputCode, request: Request][] = [
    ['required', ['POST', '/login/', { json: { username: 'alice' } }]],
    ['null', product({ name: null })],
    ['null', ['POST', '/login/', { json: null }]],
    ['blank', product({ name: ' ' })],
    ['invalid', product({ stock: 'many' })],
    ['invalid', ['POST', '/login/', { json: [] }]],
    ['invalid', ['GET', '/products/?price=cheap']],
    ['invalid', account({ email: 'erin' })],
    ['invalid', account({ username: 'erin!' })],
    ['max_length', product({ name: 'x'.repeat(201) })],
    ['max_length', account({ username: 'x'.repeat(151) })],
    ['min_value', product({ stock: -1 })],
    ['max_value', product({ stock: 2 ** 31 })],
    ['max_value', ['GET', '/products/?price=1e51']],
    ['max_digits', product({ price: '12345678901' })],
    ['max_decimal_places', product({ price: '0.001' })],
    ['max_whole_digits', product({ price: '123456789' })],
    ['max_string_length', product({ price: '1'.repeat(1001) })],
    ['null_characters_not_allowed', product({ name: '\0' })],
    ['surrogate_characters_not_allowed', product({ name: '\ud800' })],
    ['unique', account({ username: 'Alice' })],
    ['password_too_short', account({ password: 'x7!kQ2z' })],
    ['password_too_common', account({ password: 'password' })],
    ['password_too_similar', account({ username: 'mayflower', password: 'mayflower1' })],
    ['invalid_password', ['POST', '/auth/users/set_password/', { json: passwords }]],
    ['authorization', ['POST', '/auth/token/', { json: { username: 'alice', password: 'x' } }]],
    ['token_not_valid', ['POST', '/verify_token/', { json: { token: refresh } }]],
  ];
  for (const [code, [method, path, options]] of faults) {
    const { status, body } = await app.client.request(method, path, {
      authorization: `Token ${user.token}`,
      headers: { Accept: 'application/problem+json' },
      ...options,
    });
    const { errors } = body as { errors?: Reason[] }; // checked against the contract by the client
    t.deepEqual([code, status, errors?.map((error) => error.code)], [code, 400, [code]]);
  }

  const told: string[] = faults.map(([code]) => code);
  t.deepEqual(
    codes.filter((code) => !told.includes(code)),
    [],
  );
});
