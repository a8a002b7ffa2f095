import test from 'ava';
import { contractDocument } from '../../src/contract.ts';
import { connect } from '../../src/db.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { ValidationError } from '../../src/errors.ts';
import type { Reason } from '../../src/errors.ts';
import { createApi } from '../../src/http/api.ts';
import type { Call } from '../../src/http/api.ts';
import { decimalProblem, textProblem } from '../../src/http/validation.ts';
import { createLog } from '../../src/log.ts';
import { handlers, owners, security, tags } from '../../src/operations.ts';
import { NO_METRICS } from '../../src/metrics/metrics.ts';
import { createThrottle } from '../../src/throttle/throttle.ts';
import { startLive } from '../../src/revocation/live.ts';
import { testConfig } from '../support/config.ts';
import { quoted } from './quoted.ts';

const PRICE = { maxDigits: 10, decimalPlaces: 2, minimum: 0 };
const BOUND = { maximum: 1e50 };
const DIGITS: Reason = {
  detail: 'Ensure that there are no more than 10 digits in total.',
  code: 'max_digits',
};
const PLACES: Reason = {
  detail: 'Ensure that there are no more than 2 decimal places.',
  code: 'max_decimal_places',
};
const WHOLE: Reason = {
  detail: 'Ensure that there are no more than 8 digits before the decimal point.',
  code: 'max_whole_digits',
};
const NEGATIVE: Reason = {
  detail: 'Ensure this value is greater than or equal to 0.',
  code: 'min_value',
};
const LARGE: Reason = {
  detail: 'Ensure this value is less than or equal to 1e+50.',
  code: 'max_value',
};

const DECIMALS: [text: string, limits: object, reason: Reason | undefined][] = [
  ['0', PRICE, undefined],
  ['99999999.99', PRICE, undefined],
  ['0.00', PRICE, undefined],
  ['12345678901', PRICE, DIGITS],
  ['123456789.01', PRICE, DIGITS],
  ['1234567.8901', PRICE, DIGITS],
  ['1.001', PRICE, PLACES],
  ['1.100', PRICE, PLACES],
  ['100000000', PRICE, WHOLE],
  ['123456789.1', PRICE, WHOLE],
  ['-0.01', PRICE, NEGATIVE],
  ['-1.001', PRICE, PLACES],
  ['-123456789012', PRICE, DIGITS],
  ['1'.padEnd(51, '0'), BOUND, undefined],
  ['1'.padEnd(52, '0'), BOUND, LARGE],
  [`-${'1'.padEnd(52, '0')}`, BOUND, undefined],
  ['1.000000000000001', {}, undefined],
];

for (const [text, limits, reason] of DECIMALS) {
  test(`${quoted(text)} under ${JSON.stringify(limits)}: ${reason?.detail ?? 'fits'}`, (t) => {
    t.deepEqual(decimalProblem(text, limits), reason);
  });
}

const NUL: Reason = {
  detail: 'Null characters are not allowed.',
  code: 'null_characters_not_allowed',
};
const surrogate = (code: string): Reason => ({
  detail: `Surrogate characters are not allowed: U+${code}.`,
  code: 'surrogate_characters_not_allowed',
});

const TEXTS: [value: unknown, reason: Reason | undefined][] = [
  ['', undefined],
  ['plain', undefined],
  ['\u{1f600}', undefined],
  [12, undefined],
  [null, undefined],
  ['a\0b', NUL],
  ['\0\ud800', NUL],
  ['a\ud800', surrogate('D800')],
  ['\udfff\ud800', surrogate('DFFF')],
  ['\u{1f600}\udc00', surrogate('DC00')],
];

for (const [value, reason] of TEXTS) {
  test(`the text ${quoted(value)}: ${reason?.detail ?? 'can be stored'}`, (t) => {
    t.deepEqual(textProblem(value), reason);
  });
}

// The contract itself, with handlers that answer what they are given.
const answer = ({ body, query }: Call & { query: unknown }) => ({
  status: 200,
  body: { body, query },
});
const echoes = Object.fromEntries(Object.keys(handlers).map((id) => [id, answer]));
const config = testConfig({ DATABASE_URL: 'postgres://127.0.0.1:1/away' });
// Not awaited here: tests have to be declared before anything is waited for.
const reachable = connect(config).then(async (database): Promise<RequestDeps> => {
  const log = createLog(config);
  const live = await startLive(database, config, log);
  const throttle = await createThrottle(config, database.db, log);
  return { config, db: database.db, now: () => new Date(), live, throttle, metrics: NO_METRICS };
});
const api = await createApi(
  contractDocument(),
  { handlers: echoes, owners, security, tags },
  config,
);

type Sent = { json: unknown } | { form: object } | { query: string };

async function send(id: string, sent: Sent): Promise<unknown> {
  const operation = api.operations.find((one) => one.id === id);
  if (!operation) throw new Error(`no operation ${id}`);
  const call: Call = {
    params: {},
    headers: {},
    body: 'json' in sent ? { data: sent.json, isForm: false } : undefined,
    user: null,
    sessionId: undefined,
    url: {
      origin: 'http://127.0.0.1',
      path: '/',
      search: new URLSearchParams('query' in sent ? sent.query : ''),
    },
    client: { ip: '127.0.0.1', userAgent: undefined },
    ...('form' in sent && { body: { data: sent.form, isForm: true } }),
  };
  const { body } = await api.call(operation, call, await reachable);
  return body;
}

const REQUIRED = ['This field is required.'];
const BLANK = ['This field may not be blank.'];
const NULL = ['This field may not be null.'];
const NO_STRING = ['Not a valid string.'];
const NO_NUMBER = ['A valid number is required.'];
const NO_INTEGER = ['A valid integer is required.'];
const TOO_LARGE = ['Ensure this value is less than or equal to 2147483647.'];
const ENTER = ['Enter a number.'];
const good = { name: 'Oak chair', price: '49.90' };

const REFUSED: [operation: string, sent: Sent, errors: unknown][] = [
  ['createProduct', { json: {} }, { name: REQUIRED, price: REQUIRED }],
  ['createProduct', { json: { ...good, name: '' } }, { name: BLANK }],
  ['createProduct', { json: { ...good, name: ' \u2003' } }, { name: BLANK }],
  ['createProduct', { json: { ...good, name: null } }, { name: NULL }],
  ['createProduct', { json: { ...good, name: true } }, { name: NO_STRING }],
  ['createProduct', { json: { ...good, name: ['a'] } }, { name: NO_STRING }],
  ['createProduct', { json: { ...good, name: { a: 1 } } }, { name: NO_STRING }],
  [
    'createProduct',
    { json: { ...good, name: 'a\0' } },
    { name: ['Null characters are not allowed.'] },
  ],
  [
    'createProduct',
    { json: { ...good, name: 'a\ud83d' } },
    { name: ['Surrogate characters are not allowed: U+D83D.'] },
  ],
  [
    'createProduct',
    { json: { ...good, name: '\u{1f600}'.repeat(201) } },
    { name: ['Ensure this field has no more than 200 characters.'] },
  ],
  ['createProduct', { json: { ...good, description: null } }, { description: NULL }],
  ['createProduct', { json: { ...good, description: 1.5e3, price: false } }, { price: NO_NUMBER }],
  ['createProduct', { json: { ...good, price: '' } }, { price: NO_NUMBER }],
  ['createProduct', { json: { ...good, price: 'NaN' } }, { price: NO_NUMBER }],
  ['createProduct', { json: { ...good, price: [] } }, { price: NO_NUMBER }],
  ['createProduct', { json: { ...good, price: null } }, { price: NULL }],
  ['createProduct', { json: { ...good, price: -0.01 } }, { price: [NEGATIVE.detail] }],
  ['createProduct', { json: { ...good, price: 1.001 } }, { price: [PLACES.detail] }],
  ['createProduct', { json: { ...good, price: 1e8 } }, { price: [WHOLE.detail] }],
  ['createProduct', { json: { ...good, price: '1e99999999' } }, { price: [DIGITS.detail] }],
  [
    'createProduct',
    { json: { ...good, price: '1'.repeat(1001) } },
    { price: ['String value too large.'] },
  ],
  [
    'createProduct',
    { json: { ...good, price: '0'.repeat(1001) } },
    { price: ['String value too large.'] },
  ],
  [
    'createProduct',
    { json: { ...good, stock: '1'.repeat(1001) } },
    { stock: ['String value too large.'] },
  ],
  ['createProduct', { json: { ...good, stock: '1'.repeat(400) } }, { stock: TOO_LARGE }],
  ['createProduct', { json: { ...good, stock: 2_147_483_648 } }, { stock: TOO_LARGE }],
  ['createProduct', { json: { ...good, stock: -1 } }, { stock: [NEGATIVE.detail] }],
  ['createProduct', { json: { ...good, stock: 1.5 } }, { stock: NO_INTEGER }],
  ['createProduct', { json: { ...good, stock: '1e3' } }, { stock: NO_INTEGER }],
  ['createProduct', { json: { ...good, stock: true } }, { stock: NO_INTEGER }],
  ['createProduct', { json: { ...good, stock: '' } }, { stock: NO_INTEGER }],
  ['createProduct', { json: { ...good, stock: null } }, { stock: NULL }],
  ['createProduct', { form: { name: '', price: '' } }, { name: BLANK, price: NO_NUMBER }],
  ['createProduct', { form: { ...good, name: { file: true } } }, { name: NO_STRING }],
  [
    'createProduct',
    { json: { stock: -1, price: 'x', description: null, name: '' } },
    { name: BLANK, description: NULL, price: NO_NUMBER, stock: [NEGATIVE.detail] },
  ],
  ['partialUpdateProduct', { json: { price: null, name: '' } }, { name: BLANK, price: NULL }],
  ['login', { json: { username: ' ', password: '\t' } }, { username: BLANK, password: BLANK }],
  ['login', { json: { username: 'a' } }, { password: REQUIRED }],
  ['obtainAuthToken', { json: { username: 'a', password: '' } }, { password: BLANK }],
  ['refreshToken', { json: { refresh: [] } }, { refresh: NO_STRING }],
  ['verifyToken', { json: { token: '\0' } }, { token: ['Null characters are not allowed.'] }],
  ['listProducts', { query: 'price=x&stock=y&name=z' }, { price: ENTER, stock: ENTER }],
  ['listProducts', { query: 'price=%20%20' }, { price: ENTER }],
  ['listProducts', { query: 'price=NaN' }, { price: ENTER }],
  ['listProducts', { query: `price=${'1'.repeat(1001)}x` }, { price: ENTER }],
  [
    'listProducts',
    { query: 'price__gte=1e51' },
    { price__gte: ['Ensure this value is less than or equal to 1e+50.'] },
  ],
  ['listProducts', { query: 'name=%00' }, { name: ['Null characters are not allowed.'] }],
  ['listProducts', { query: 'search=%00' }, ['Null characters are not allowed.']],
  ['listProducts', { query: 'search=%00&price=x' }, { price: ENTER }],
];

for (const [operation, sent, errors] of REFUSED) {
  test(`${operation} refuses ${quoted(sent)} with ${quoted(errors)}`, async (t) => {
    const error = await t.throwsAsync(send(operation, sent), { instanceOf: ValidationError });

    t.deepEqual(error?.body, errors);
  });
}

const TAKEN: [operation: string, sent: Sent, received: object][] = [
  ['createProduct', { json: good }, { body: good, query: {} }],
  [
    'createProduct',
    { json: { ...good, name: `  ${'\u{1f600}'.repeat(200)}  `, stock: '5.0', owner: 7 } },
    { body: { name: '\u{1f600}'.repeat(200), price: '49.90', stock: 5 }, query: {} },
  ],
  [
    'createProduct',
    { json: { name: 12, price: 1e2, description: '', stock: 5 } },
    { body: { name: '12', price: '100', description: '', stock: 5 }, query: {} },
  ],
  ['createProduct', { form: { ...good, stock: '' } }, { body: good, query: {} }],
  ['partialUpdateProduct', { json: {} }, { body: {}, query: {} }],
  [
    'obtainAuthToken',
    { json: { username: ' a ', password: ' b ' } },
    { body: { username: 'a', password: ' b ' }, query: {} },
  ],
  [
    'login',
    { json: { username: ' a ', password: ' b ' } },
    { body: { username: 'a', password: 'b' }, query: {} },
  ],
  [
    'listProducts',
    { query: 'page_size=0&price=1e50&unknown=1' },
    { query: { price: '1'.padEnd(51, '0') } },
  ],
  ['listProducts', { query: 'page_size=abc&stock__lte=%2B5' }, { query: { stock__lte: '5' } }],
  ['listProducts', { query: 'page_size=2&name=a&name=' }, { query: { page_size: 2 } }],
];

for (const [operation, sent, received] of TAKEN) {
  test(`${operation} takes ${quoted(sent)} as ${quoted(received)}`, async (t) => {
    t.deepEqual(await send(operation, sent), { body: undefined, ...received });
  });
}
