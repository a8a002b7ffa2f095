import test from 'ava';
import {
  compareToNumber,
  countDigits,
  parseDecimal,
  parseInteger,
  toPlainText,
} from '../../src/http/decimal.ts';
import { quoted } from './quoted.ts';

// What Python 3.11's decimal.Decimal makes of a text, in plain notation.
const DECIMALS: [text: string, plain: string][] = [
  ['0', '0'],
  ['-0', '0'],
  ['0.00', '0.00'],
  ['-0.00', '0.00'],
  ['49.90', '49.90'],
  ['+5', '5'],
  ['-1.5', '-1.5'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['00012.50', '12.50'],
  ['1e2', '100'],
  ['1E+2', '100'],
  ['1.5e1', '15'],
  ['1e-2', '0.01'],
  ['1e0000000000000000000002', '100'],
  ['12e-4', '0.0012'],
  ['1_000', '1000'],
  ['_1__0_', '10'],
  ['1e_2', '100'],
  [' 5 ', '5'],
  ['\t5\n', '5'],
  ['\x1c5\x85', '5'],
  ['\u30005\u2003', '5'],
  ['٤٩.٩٠', '49.90'],
  ['４９', '49'],
  ['𝟓', '5'],
  ['1e51', `1${'0'.repeat(51)}`],
  ['1e99999999', `1${'0'.repeat(51)}`],
  ['-1e9999999999', `-1${'0'.repeat(51)}`],
  ['1e-99999999', `0.${'0'.repeat(59)}1`],
  ['0e-99999999', `0.${'0'.repeat(60)}`],
];

for (const [text, plain] of DECIMALS) {
  test(`${quoted(text)} is the decimal ${plain.slice(0, 12)}`, (t) => {
    const decimal = parseDecimal(text);

    t.truthy(decimal);
    t.is(decimal && toPlainText(decimal), plain);
  });
}

const NO_DECIMALS = [
  ...['', ' ', '.', '-', '+', '_', 'e5', '.e5', '-.', '+-5', '--5', '1 2', '1e', '1e5.0', '1e 5'],
  ...['1,5', '0x10', '5€', 'a', '²', '①', '1\u200b', '\ufeff1', '1\0', '5\u00ad'],
  ...['NaN', 'sNaN', 'inf', '-Infinity', '1e9999999999999999999', 'True', '[1]'],
];

for (const text of NO_DECIMALS) {
  test(`${quoted(text)} is no decimal`, (t) => {
    t.is(parseDecimal(text), undefined);
  });
}

test('a number of more than 1000 characters is not read, white space around it not counted', (t) => {
  t.deepEqual(parseDecimal(` ${'0'.repeat(999)}5 `), { negative: false, digits: '5', exponent: 0 });
  t.is(parseDecimal('5'.repeat(1001)), undefined);
});

const INTEGERS: [text: string, value: number][] = [
  ['0', 0],
  ['007', 7],
  ['+5', 5],
  ['-5', -5],
  [' 5\n', 5],
  ['1_000', 1000],
  ['٥', 5],
  ['４２', 42],
  ['99999999999999999999', 1e20],
  ['9'.repeat(400), Number.MAX_VALUE],
  [`-${'9'.repeat(400)}`, -Number.MAX_VALUE],
];

for (const [text, value] of INTEGERS) {
  test(`${quoted(text)} is the integer ${value}`, (t) => {
    t.is(parseInteger(text), value);
  });
}

const NO_INTEGERS = [
  ...['', ' ', '-', '5.0', '1e3', '0x10', '1__0', '_1', '1_', '1 2', '--5', 'NaN', 'true', '½'],
  ...['1\u200b', '\ufeff1'],
];

for (const text of NO_INTEGERS) {
  test(`${quoted(text)} is no integer`, (t) => {
    t.is(parseInteger(text), undefined);
  });
}

// As DRF's DecimalField.validate_precision counts them.
const COUNTS: [text: string, counts: { total: number; whole: number; places: number }][] = [
  ['0', { total: 1, whole: 1, places: 0 }],
  ['0.00', { total: 2, whole: 0, places: 2 }],
  ['0.12', { total: 2, whole: 0, places: 2 }],
  ['0.001', { total: 3, whole: 0, places: 3 }],
  ['1.10000', { total: 6, whole: 1, places: 5 }],
  ['1e5', { total: 6, whole: 6, places: 0 }],
  ['12345678.90', { total: 10, whole: 8, places: 2 }],
];

for (const [text, counts] of COUNTS) {
  test(`the digits of ${text} are counted as DRF counts them`, (t) => {
    const decimal = parseDecimal(text);

    t.deepEqual(decimal && countDigits(decimal), counts);
  });
}

const COMPARISONS: [text: string, bound: number, sign: number][] = [
  ['-0.01', 0, -1],
  ['-0', 0, 0],
  ['0.00', 0, 0],
  ['1e50', 1e50, 0],
  ['1.0001e50', 1e50, 1],
  ['1e999999', 1e50, 1],
  ['-1e999999', 0, -1],
];

for (const [text, bound, sign] of COMPARISONS) {
  test(`${text} compared with ${bound} is ${sign}`, (t) => {
    const decimal = parseDecimal(text);

    t.is(decimal && Math.sign(compareToNumber(decimal, bound)) + 0, sign);
  });
}
