import test from 'ava';
import type { Reason } from '../../src/errors.ts';
import { emailProblems, normalizeEmail } from '../../src/users/emails.ts';

const INVALID: Reason = { detail: 'Enter a valid email address.', code: 'invalid' };
const LONG: Reason = {
  detail: 'Ensure this field has no more than 254 characters.',
  code: 'max_length',
};

for (const email of [
  '',
  'alice@example.org',
  'Alice.B+tag@sub.example.org',
  "!#$%&'*+/=?^_`{}|~-@example.org",
  '"quoted \\" text"@example.org',
  'alice@localhost',
  'alice@[127.0.0.1]',
  'alice@[2001:db8::1]',
  'alice@bücher.example',
  'alice@пример.рф',
  'alice@xn--bcher-kva.example',
  `alice@${'a'.repeat(63)}.org`,
  `${'a'.repeat(242)}@example.org`,
]) {
  test(`${JSON.stringify(email).slice(0, 40)} (${email.length}) is an e-mail address`, (t) => {
    t.deepEqual(emailProblems(email), []);
  });
}

for (const [email, reasons] of [
  ['alice', [INVALID]],
  ['@example.org', [INVALID]],
  ['alice@', [INVALID]],
  ['alice@example', [INVALID]],
  ['alice@.org', [INVALID]],
  ['alice@example..org', [INVALID]],
  ['alice@-example.org', [INVALID]],
  ['alice@example.org-', [INVALID]],
  ['alice@example.org\n', [INVALID]],
  ['alice\n@example.org', [INVALID]],
  ['.alice@example.org', [INVALID]],
  ['alice..b@example.org', [INVALID]],
  ['alice b@example.org', [INVALID]],
  ['zoë@example.org', [INVALID]],
  ['"\u0007"@example.org', [INVALID]],
  ['alice@bob@example.org', [INVALID]],
  ['alice@[127.0.0.256]', [INVALID]],
  ['alice@[fe80::1%eth0]', [INVALID]],
  ['alice@é%41.com', [INVALID]],
  ['alice@é/example.org', [INVALID]],
  ['alice@\ud800.org', [INVALID]],
  [`alice@${'a'.repeat(64)}.org`, [INVALID]],
  [`${'a'.repeat(243)}@example.org`, [LONG]],
  [`${'a'.repeat(308)}@example.org`, [LONG]],
  [`${'a'.repeat(309)}@example.org`, [LONG, INVALID]],
  ['a.'.repeat(5000), [LONG, INVALID]],
  [`${'a@'.repeat(5000)}é`, [LONG, INVALID]],
] as const) {
  test(`${JSON.stringify(email).slice(0, 40)} (${email.length}) is no e-mail address`, (t) => {
    t.deepEqual(emailProblems(email), [...reasons]);
  });
}

for (const [typed, stored] of [
  ['Alice@Example.ORG', 'Alice@example.org'],
  ['"A@B"@Example.ORG', '"A@B"@example.org'],
  ['Alice', 'Alice'],
  ['', ''],
] as const) {
  test(`the domain of ${JSON.stringify(typed)} is stored in lower case, and nothing else is`, (t) => {
    t.is(normalizeEmail(typed), stored);
  });
}
