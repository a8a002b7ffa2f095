import test from 'ava';
import type { Reason } from '../../src/errors.ts';
import { passwordProblems } from '../../src/users/password-rules.ts';

const config = { PASSWORD_MIN_LENGTH: 8, PASSWORD_MAX_LENGTH: 64 };
const SHORT: Reason = {
  detail: 'This password is too short. It must contain at least 8 characters.',
  code: 'password_too_short',
};
const LONG: Reason = {
  detail: 'Ensure this field has no more than 64 characters.',
  code: 'max_length',
};
const COMMON: Reason = { detail: 'This password is too common.', code: 'password_too_common' };
const SIMILAR: Reason = {
  detail: 'The password is too similar to the username.',
  code: 'password_too_similar',
};
const NUL: Reason = {
  detail: 'Null characters are not allowed.',
  code: 'null_characters_not_allowed',
};
const surrogate = (code: string): Reason => ({
  detail: `Surrogate characters are not allowed: U+${code}.`,
  code: 'surrogate_characters_not_allowed',
});

for (const [username, password, reasons] of [
  ['alice', '', [SHORT]],
  ['alice', 'x7!kQ2z', [SHORT]],
  ['alice', '✓'.repeat(7), [SHORT]],
  ['alice', '😀x7'.repeat(22), [LONG]],
  ['alice', 'password', [COMMON]],
  ['alice', 'PassWord', [COMMON]],
  ['alice', ' password ', [COMMON]],
  ['alice', 'ｐａｓｓｗｏｒｄ', [COMMON]],
  ['alice', 'alice', [SHORT, SIMILAR, COMMON]],
  ['alice', 'qwerty', [SHORT, COMMON]],
  ['password', 'password', [SIMILAR, COMMON]],
  ['wilhelmina', 'Anim-Lehliw', [SIMILAR]],
  ['wilhelmina@example.org', 'wilhelmina!', [SIMILAR]],
  ['alice', 'nul\0x7!kQ2z', [NUL]],
  ['alice', 'half\ud800x7!kQ2', [surrogate('D800')]],
  ['alice', '\udfff\0', [NUL, surrogate('DFFF'), SHORT]],
] as const) {
  test(`${JSON.stringify(password).slice(0, 40)} is refused for ${username}, with every reason`, async (t) => {
    t.deepEqual(await passwordProblems(password, username, config), [...reasons]);
  });
}

for (const [username, password] of [
  ['alice', 'correct horse battery'],
  ['alice', 'Alice-likes-tea'],
  ['alice', '83651940'],
  ['alice', 'x7!kQ2zp'],
  ['alice', '😀'.repeat(64)],
  ['a', 'aXbYcZdW'],
  ['@@', 'x7!kQ2zp'],
] as const) {
  test(`${JSON.stringify(password).slice(0, 40)} is accepted for ${username}`, async (t) => {
    t.deepEqual(await passwordProblems(password, username, config), []);
  });
}

test('one character is not called characters', async (t) => {
  t.deepEqual(await passwordProblems('', 'alice', { ...config, PASSWORD_MIN_LENGTH: 1 }), [
    {
      detail: 'This password is too short. It must contain at least 1 character.',
      code: 'password_too_short',
    },
  ]);
});

test('a long password is held against a long name of many parts in no time', async (t) => {
  const name = 'part.'.repeat(20_000);
  const start = performance.now();

  await passwordProblems('partial '.repeat(1000), name, config);
  await passwordProblems('parting', name, config);

  t.true(performance.now() - start < 2000);
});
