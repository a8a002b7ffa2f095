import test from 'ava';
import { NotFound } from '../src/errors.ts';
import { decodeCursor, encodeCursor, urlencode } from '../src/cursor.ts';
import type { Cursor } from '../src/cursor.ts';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function cursor(fields: Partial<Cursor>): Cursor {
  return { offset: 0, reverse: false, positions: [], id: undefined, ...fields };
}

const CURSORS: [string, Partial<Cursor>][] = [
  ['p=5', { positions: ['5'] }],
  ['r=1&p=1.00', { reverse: true, positions: ['1.00'] }],
  ['o=2&p=0.00', { offset: 2, positions: ['0.00'] }],
  ['o=4&r=1', { offset: 4, reverse: true }],
  ['p=qry+%C4%B0stanbul', { positions: ['qry İstanbul'] }],
  [
    'p=2026-01-31+23%3A59%3A59.123456%2B00%3A00',
    { positions: ['2026-01-31 23:59:59.123456+00:00'] },
  ],
  ['r=1&p=1.00&p=oak&i=7', { reverse: true, positions: ['1.00', 'oak'], id: '7' }],
];

for (const [text, fields] of CURSORS) {
  test(`the cursor ${text} is written as DRF writes it, and read again`, (t) => {
    t.is(encodeCursor(cursor(fields)), base64(text));
    t.deepEqual(decodeCursor(base64(text)), cursor(fields));
  });
}

const LENIENT: [string, Partial<Cursor>][] = [
  ['', {}],
  ['!!!', {}],
  ['cj0x', { reverse: true }],
  ['c j-0_x', { reverse: true }],
  [base64('r=2'), { reverse: true }],
  [base64('r=-1'), { reverse: true }],
  [base64('o=+2'), { offset: 2 }],
  [base64('o=1000000'), { offset: 1000 }],
  [base64('p='), { positions: [''] }],
  [base64('p'), { positions: [''] }],
  [base64('p=9&p=0'), { positions: ['9'] }],
  [base64('p=%zz'), { positions: ['%zz'] }],
  [`${base64('o=12')}trailing`, { offset: 12 }],
];

for (const [text, fields] of LENIENT) {
  test(`the cursor text ${JSON.stringify(text)} is taken`, (t) => {
    t.deepEqual(decodeCursor(text), cursor(fields));
  });
}

const INVALID = [
  'nonsense',
  'é',
  `${base64('o=12')}é`,
  'cD05OTk5OTk5Pj4-',
  'A',
  'cj0',
  base64('o=-1'),
  base64('o='),
  base64('o=x'),
  base64('o=1.0'),
  base64('r='),
  base64('r=true'),
  base64('p=é'),
];

for (const text of INVALID) {
  test(`the cursor text ${JSON.stringify(text)} is no cursor`, (t) => {
    const error = t.throws(() => decodeCursor(text), { instanceOf: NotFound });

    t.deepEqual(error?.body, { detail: 'Invalid cursor' });
  });
}

test('query parameters are escaped as by Python', (t) => {
  const text = urlencode([
    ['q', "a b+c&d=e~*'()!"],
    ['ü', '\u{1f600}/?'],
    ['empty', ''],
  ]);

  t.is(text, 'q=a+b%2Bc%26d%3De~%2A%27%28%29%21&%C3%BC=%F0%9F%98%80%2F%3F&empty=');
});
