import test from 'ava';
import { ValidationError } from '../../src/errors.ts';
import type { Reason } from '../../src/errors.ts';
import {
  canonicalUsername,
  normalizeUsername,
  registrationProblems,
  usernameProblems,
} from '../../src/users/usernames.ts';

const CHARACTERS: Reason = {
  detail:
    'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
  code: 'invalid',
};
const LENGTH: Reason = {
  detail: 'Ensure this field has no more than 150 characters.',
  code: 'max_length',
};
const BLANK: Reason = { detail: 'This field may not be blank.', code: 'blank' };

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
  ['', [BLANK]],
  [' \t\u2003', [BLANK]],
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
    t.deepEqual(error?.errors, { username: [...reasons] });
  });
}

for (const name of [
  'alice',
  'Łukasz',
  'Дмитрий_2',
  'Νίκος',
  '山田_太郎',
  'ラーメン.taro',
  '김민준-kim',
  'ㄅㄆ_abc',
  'مريم٣',
  '12345',
  '@.+-_',
]) {
  test(`${name} is a name of one script`, (t) => {
    t.deepEqual(registrationProblems(name), []);
  });
}

// The first of each is what it looks like.
for (const [looks, name] of [
  ['alice', '\u0430lice'],
  ['paypal', 'p\u0430yp\u0430l'],
  ['root', 'r\u03bf\u03bft'],
  ['Alice', '\u0391lice'],
  ['co', '\u0441\u03bf'],
  ['so', '\u0455\u0585'],
  ['taro', 't\u0430ro\u30e9'],
  ['ABC', '\u13aa\u13f4\u13df'],
] as const) {
  test(`a stranger cannot have ${JSON.stringify(name)}, which looks like ${looks}; an operator can`, (t) => {
    t.deepEqual(registrationProblems(name), [CHARACTERS]);
    t.deepEqual(usernameProblems(name), []);
  });
}

test('a name that is wrong in two ways is told so once for its characters', (t) => {
  t.deepEqual(registrationProblems('\u0430lice!'.repeat(1000)), [CHARACTERS, LENGTH]);
});

for (const typed of ['ａｌｉｃｅ', '𝐚𝐥𝐢𝐜𝐞', 'ⓐⓛⓘⓒⓔ', ' alice\u3000']) {
  test(`${typed} is another spelling of alice`, (t) => {
    t.is(normalizeUsername(typed), 'alice');
  });
}

test('a name with a letter that is not seen is no name', (t) => {
  for (const name of ['admin\u3164', 'adm\u1160in', 'admin\u115f', '\uffa0admin'])
    t.throws(() => canonicalUsername(name), { message: /Enter a valid username/ }, name);
});
