import test from 'ava';
import { ValidationError } from '../../src/errors.ts';
import { canonicalUsername } from '../../src/users/usernames.ts';

const CHARACTERS =
  'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.';
const LENGTH = 'Ensure this field has no more than 150 characters.';

for (const [typed, stored] of [
  ['alice', 'alice'],
  ['Alice', 'Alice'],
  ['  alice\u00a0\u3000\n', 'alice'],
  ['zoe\u0308', 'zoë'],
  ['ａｌｉｃｅ', 'alice'],
  ['o.neil+test@example.org', 'o.neil+test@example.org'],
  ['山田_太郎', '山田_太郎'],
  ['Ⅻ', 'XII'],
  ['𝒶', 'a'],
  ['𐐷'.repeat(150), '𐐷'.repeat(150)],
] as const) {
  test(`${JSON.stringify(typed).slice(0, 30)} is stored as ${stored.slice(0, 30)}`, (t) => {
    t.is(canonicalUsername(typed), stored);
  });
}

for (const [typed, reasons] of [
  ['', ['This field may not be blank.']],
  [' \t\u2003', ['This field may not be blank.']],
  ['two words', [CHARACTERS]],
  ['a\0b', [CHARACTERS]],
  ['a\ud800', [CHARACTERS]],
  ['zero\u200bwidth', [CHARACTERS]],
  ['alice$', [CHARACTERS]],
  ['alice\nbob', [CHARACTERS]],
  ['x\u0323\u0301', [CHARACTERS]],
  ['a'.repeat(151), [LENGTH]],
  ['ﬃ'.repeat(51), [LENGTH]],
  ['!'.repeat(10_000), [CHARACTERS, LENGTH]],
] as const) {
  test(`${JSON.stringify(typed).slice(0, 30)} is no username`, (t) => {
    const error = t.throws(() => canonicalUsername(typed), { instanceOf: ValidationError });
    t.deepEqual(error?.body, { username: reasons });
  });
}
