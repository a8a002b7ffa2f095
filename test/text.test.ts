import test from 'ava';
import { strip } from '../src/text.ts';

test('Python strips other characters than JavaScript trims', (t) => {
  const space =
    '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000';

  t.is(strip(`${space}a${space}b${space}`), `a${space}b`);
  t.is(strip(space), '');
  t.is(strip('\ufeffa\u200b'), '\ufeffa\u200b');
});

test('a long run of spaces inside a text is stripped in no time', (t) => {
  const text = `a${' '.repeat(262_144)}b`;
  const start = performance.now();

  t.is(strip(text), text);

  t.true(performance.now() - start < 500, 'time grows with the length, not with its square');
});
