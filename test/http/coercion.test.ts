import test from 'ava';
import { coerce, coerceBody, coerceQuery } from '../../src/http/coercion.ts';
import type { Schema } from '../../src/http/coercion.ts';
import { ValidationError } from '../../src/errors.ts';
import { quoted } from './quoted.ts';

const TEXT: Schema = { type: 'string' };
const EXACT: Schema = { type: 'string', 'x-trim': false };
const INTEGER: Schema = { type: 'integer' };
const DECIMAL: Schema = { type: 'string', format: 'decimal' };
const BOOLEAN: Schema = { type: 'boolean' };

const VALUES: [what: string, schema: Schema, value: unknown, coerced: unknown][] = [
  ['text is trimmed', TEXT, ' \u3000Oak chair\x1f\n', 'Oak chair'],
  ['a zero-width space stays', TEXT, '\u200bOak\u200b', '\u200bOak\u200b'],
  ['text whose space counts stays', EXACT, '  secret  ', '  secret  '],
  ['a number is text', TEXT, 12.5, '12.5'],
  ['a number is text where space counts', EXACT, 42, '42'],
  ['true is no text', TEXT, true, true],
  ['null stays null', TEXT, null, null],
  ['a list is no text', TEXT, ['a'], ['a']],
  ['an object is no text', TEXT, { a: 1 }, { a: 1 }],
  ['text is an integer', INTEGER, ' 12 ', 12],
  ['an integer may have zeros behind the point', INTEGER, '12.000', 12],
  ['an integer may have a bare point', INTEGER, '12.', 12],
  ['one and a half is no integer', INTEGER, '1.5', '1.5'],
  ['1e3 is no integer', INTEGER, '1e3', '1e3'],
  ['0x10 is no integer', INTEGER, '0x10', '0x10'],
  ['nothing is no integer', INTEGER, '', ''],
  ['a point alone is no integer', INTEGER, '.', '.'],
  ['true is no integer', INTEGER, true, true],
  ['1.5 stays for the validator', INTEGER, 1.5, 1.5],
  ['a text of 1001 digits is left alone', INTEGER, '1'.repeat(1001), '1'.repeat(1001)],
  ['a number is a decimal', DECIMAL, 49.9, '49.9'],
  ['a tiny number is a decimal', DECIMAL, 1e-7, '0.0000001'],
  ['a decimal loses its exponent', DECIMAL, '1e2', '100'],
  ['a decimal keeps its zeros', DECIMAL, '1.10000', '1.10000'],
  ['a decimal is trimmed', DECIMAL, ` ${' '.repeat(2000)}5`, '5'],
  ['an Arabic price is a decimal', DECIMAL, '٤٩.٩٠', '49.90'],
  ['a word stays', DECIMAL, 'dear', 'dear'],
  ['true is no decimal', DECIMAL, true, true],
  ['null is no decimal', DECIMAL, null, null],
  ['infinity is no decimal', DECIMAL, Infinity, Infinity],
  ['true is a boolean', BOOLEAN, true, true],
  ['a ticked box is a boolean', BOOLEAN, 'on', true],
  ['a word is a boolean in any case', BOOLEAN, ' True ', true],
  ['one is a boolean', BOOLEAN, 1, true],
  ['a digit is a boolean', BOOLEAN, '0', false],
  ['no is a boolean', BOOLEAN, 'NO', false],
  ['zero is a boolean', BOOLEAN, 0, false],
  ['two is no boolean', BOOLEAN, 2, 2],
  ['a word of another kind stays', BOOLEAN, 'maybe', 'maybe'],
  ['nothing is no boolean', BOOLEAN, '', ''],
  ['null is no boolean', BOOLEAN, null, null],
  ['a list is no boolean', BOOLEAN, [true], [true]],
];

for (const [what, schema, value, coerced] of VALUES) {
  test(`${what} (${quoted(value)})`, (t) => {
    t.deepEqual(coerce(value, schema), coerced);
  });
}

const PRODUCT: Schema = {
  type: 'object',
  required: ['name', 'price'],
  properties: { name: TEXT, description: TEXT, price: DECIMAL, stock: INTEGER },
};

test('members that are not declared are left out of a body', (t) => {
  const data = JSON.parse('{"name":" a ","owner":7,"__proto__":{"stock":1},"toString":"x"}');

  const body = coerceBody(data, PRODUCT, false);

  t.deepEqual(body, { name: 'a' });
  t.is(Reflect.get({}, 'stock'), undefined);
});

test('a body takes no member from the prototype of its data', (t) => {
  const schema = { ...PRODUCT, properties: { constructor: TEXT, toString: TEXT } };

  t.deepEqual(coerceBody({}, schema, false), {});
});

const BLANKS: [what: string, schema: Schema, isForm: boolean, body: object][] = [
  ['a blank optional number of a form', PRODUCT, true, { name: '', description: '', price: '' }],
  [
    'a blank optional number of JSON',
    PRODUCT,
    false,
    { name: '', description: '', price: '', stock: '' },
  ],
];

for (const [what, schema, isForm, body] of BLANKS) {
  test(`${what} ${isForm ? 'was not sent' : 'was sent'}`, (t) => {
    const data = { name: '', description: '', price: '', stock: '' };

    t.deepEqual(coerceBody(data, schema, isForm), body);
  });
}

const NO_OBJECTS: [data: unknown, sentence: string][] = [
  [null, 'No data provided'],
  [[], 'Invalid data. Expected a dictionary, but got list.'],
  ['text', 'Invalid data. Expected a dictionary, but got str.'],
  [1, 'Invalid data. Expected a dictionary, but got int.'],
  [1.5, 'Invalid data. Expected a dictionary, but got float.'],
  [true, 'Invalid data. Expected a dictionary, but got bool.'],
];

for (const [data, sentence] of NO_OBJECTS) {
  test(`${quoted(data)} is no body: ${sentence}`, (t) => {
    const error = t.throws(() => coerceBody(data, PRODUCT, false), { instanceOf: ValidationError });

    t.deepEqual(error?.body, { non_field_errors: [sentence] });
  });
}

const QUERIES: [query: string, values: object][] = [
  ['', {}],
  ['name=chair&stock=%205%20', { name: 'chair', stock: 5 }],
  ['name=a&name=b', { name: 'b' }],
  ['name=a&name=', {}],
  ['name=', {}],
  ['unknown=1&__proto__=x', {}],
  ['price=1e2', { price: '100' }],
  ['name=%20%20', {}],
  ['price=%20%20', { price: '  ' }],
  ['name=a+b%2Bc', { name: 'a b+c' }],
];

for (const [query, values] of QUERIES) {
  test(`?${query} is ${JSON.stringify(values)}`, (t) => {
    const schemas = { name: TEXT, price: DECIMAL, stock: INTEGER };

    t.deepEqual(coerceQuery(new URLSearchParams(query), schemas), values);
  });
}
