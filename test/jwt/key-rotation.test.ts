import test from 'ava';
import type { KeySettings } from '../../src/config.ts';
import { OperatorError } from '../../src/errors.ts';
import { withNewKey, withPromoted, withRetired } from '../../src/jwt/key-rotation.ts';
import type { KeyEntry } from '../../src/key-directory.ts';

const NOW = new Date('2026-11-23T12:00:00.000Z');
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

const SETTINGS: KeySettings = {
  KEYS_DIR: '/keys',
  ALGORITHM: 'HS256',
  ACCESS_TOKEN_LIFETIME: 300,
  REFRESH_TOKEN_LIFETIME: 86_400,
  SLIDING_TOKEN_LIFETIME: 300,
  LEEWAY: 10,
};

function key(kid: string, fields: Partial<KeyEntry> = {}): KeyEntry {
  return {
    kid,
    algorithm: 'ES256',
    state: 'next',
    created_at: NOW.toISOString(),
    promoted_at: null,
    retiring_since: null,
    retire_after: null,
    retired_at: null,
    ...fields,
  };
}

const A = key('aaa1');
const OTHER = key('aaa2', { state: 'current' });
const RETIRING = key('bbb1', { state: 'retiring', retire_after: at(3600).toISOString() });
const LEGACY = key('ccc1', { state: 'verify-only' });
const GONE = key('ddd1', { state: 'gone' });

test('a new key is published, and signs nothing', (t) => {
  const { entries, added } = withNewKey([OTHER], A, NOW);

  t.deepEqual(added, A);
  t.deepEqual(entries, [OTHER, A]);
});

test('a key that is there, or was, cannot be added', (t) => {
  t.throws(() => withNewKey([A], A, NOW), {
    instanceOf: OperatorError,
    message: 'The key aaa1 is there already (next).',
  });
  t.throws(() => withNewKey([GONE], GONE, NOW), {
    instanceOf: OperatorError,
    message: 'The key ddd1 was retired, and does not come back: make a new one.',
  });
});

test('the promoted key signs, and the former one verifies until its last token has expired', (t) => {
  const { entries, promoted, demoted } = withPromoted([OTHER, A, LEGACY], 'aaa1', SETTINGS, {
    now: at(302),
  });

  t.deepEqual(promoted, { ...A, state: 'current', promoted_at: '2026-11-23T12:05:02.000Z' });
  t.deepEqual(demoted, {
    ...OTHER,
    state: 'retiring',
    retiring_since: '2026-11-23T12:05:02.000Z',
    retire_after: '2026-11-24T12:06:12.000Z',
  });
  t.deepEqual(entries, [demoted, promoted, LEGACY]);
});

test('the longest of the lifetimes decides when a key can be retired', (t) => {
  const settings = { ...SETTINGS, ACCESS_TOKEN_LIFETIME: 200_000 };

  const { demoted } = withPromoted([OTHER, A], undefined, settings, { now: NOW, force: true });

  t.is(demoted?.retire_after, at(200_070).toISOString());
});

const SECRET = key('eee1', { algorithm: 'HS256' });
const RELOAD = 2;
const COPIES = 302;

const WAITS: [what: string, KeyEntry, others: KeyEntry[], Partial<KeySettings>, number][] = [
  ['the first public key', A, [], {}, RELOAD],
  ['a public key after public ones', A, [OTHER], {}, COPIES],
  ['a public key while another retires', A, [RETIRING], {}, COPIES],
  ['a public key beside another new one', A, [key('fff1')], {}, COPIES],
  ['a public key after a public SIGNING_KEY', A, [], { ALGORITHM: 'RS256' }, COPIES],
  ['a public key after secrets', A, [key('fff1', { algorithm: 'HS256' })], {}, RELOAD],
  ['a public key after one that was never published', A, [LEGACY, GONE], {}, RELOAD],
  ['a secret', SECRET, [OTHER], { ALGORITHM: 'RS256' }, RELOAD],
];

for (const [what, candidate, others, settings, seconds] of WAITS)
  test(`${what} can sign after ${seconds} seconds`, (t) => {
    const promote = (now: Date): string =>
      withPromoted([...others, candidate], candidate.kid, { ...SETTINGS, ...settings }, { now })
        .promoted.state;

    t.throws(() => promote(at(seconds - 0.001)), {
      instanceOf: OperatorError,
      message: /^Cannot promote \w+ yet: .* Wait 1 second, until 2026-11-23T12:0\d:02Z, or use/,
    });
    t.is(promote(at(seconds)), 'current');
  });

test('a key of the same second as the present is no reason to tell another time than the true one', (t) => {
  const late = { ...A, created_at: '2026-11-23T12:00:00.250Z' };

  t.throws(() => withPromoted([late], undefined, SETTINGS, { now: at(0.25) }), {
    message: /Wait 3 seconds, until 2026-11-23T12:00:03Z/,
  });
});

const promote = (entries: KeyEntry[], name?: string): unknown =>
  withPromoted(entries, name, SETTINGS, { now: NOW, force: true });
const retire = (entries: KeyEntry[], name: string): unknown =>
  withRetired(entries, name, { now: NOW });
const ALL = [A, OTHER, RETIRING, LEGACY, GONE];

const REFUSED: [what: string, act: () => unknown, message: string][] = [
  [
    'promoting nothing',
    () => promote([OTHER]),
    'There is no next key to promote: `keys add` makes one.',
  ],
  [
    'promoting one of two unnamed keys',
    () => promote([A, key('fff1')]),
    'Which key? The next ones are aaa1 and fff1.',
  ],
  ['promoting an ambiguous key', () => promote(ALL, 'aaa'), 'Which key? aaa begins aaa1 and aaa2.'],
  [
    'promoting a key that is not there',
    () => promote(ALL, 'zzz'),
    'There is no key zzz: `keys list` shows those there are.',
  ],
  [
    'promoting an empty name',
    () => promote(ALL, ''),
    'There is no key : `keys list` shows those there are.',
  ],
  [
    'promoting the current key',
    () => promote(ALL, 'aaa2'),
    'Cannot promote aaa2, which is the current key already.',
  ],
  [
    'promoting a retiring key',
    () => promote(ALL, 'bbb1'),
    'Cannot promote bbb1, which is retiring, and does not sign again.',
  ],
  [
    'promoting a key of another system',
    () => promote(ALL, 'ccc1'),
    'Cannot promote ccc1, which is there to verify only.',
  ],
  [
    'promoting a tombstone',
    () => promote(ALL, 'ddd1'),
    'Cannot promote ddd1, which is gone already.',
  ],
  [
    'retiring the current key',
    () => withRetired(ALL, 'aaa2', { now: NOW, force: true }),
    'Cannot retire aaa2, which signs: promote another key first.',
  ],
  [
    'retiring too early',
    () => retire(ALL, 'bbb1'),
    'Cannot retire bbb1 yet: tokens that it signed are still good. Wait 1 hour, until ' +
      '2026-11-23T13:00:00Z, or use --force to refuse them from now on.',
  ],
  ['retiring a tombstone', () => retire(ALL, 'ddd1'), 'Cannot retire ddd1, which is gone already.'],
  ['retiring an ambiguous key', () => retire(ALL, 'a'), 'Which key? a begins aaa1 and aaa2.'],
];

for (const [what, act, message] of REFUSED)
  test(`${what} is refused: ${message}`, (t) => {
    t.throws(act, { instanceOf: OperatorError, message });
  });

test('what no token depends on can be retired at any time, and a retiring key when it is due', (t) => {
  for (const [name, now] of [
    ['aaa1', NOW],
    ['ccc1', NOW],
    ['bbb1', at(3600)],
    ['b', at(3600)],
  ] as const) {
    const { entries, retired } = withRetired(ALL, name, { now });

    t.is(retired.state, 'gone');
    t.is(retired.retired_at, now.toISOString());
    t.deepEqual(
      entries,
      ALL.map((entry) => (entry.kid === retired.kid ? retired : entry)),
    );
  }
});

test('--force retires a key whose tokens are still good', (t) => {
  t.is(withRetired(ALL, 'bbb1', { now: NOW, force: true }).retired.kid, 'bbb1');
});
