import test from 'ava';
import { createMemory } from '../../src/revocation/memory.ts';

interface Row {
  version: number;
}

/** A read that is answered when the test says so. */
function pending(): { read: () => Promise<Row | undefined>; answer: (row?: Row) => void } {
  let answer: (row?: Row) => void = () => undefined;
  const row = new Promise<Row | undefined>((resolve) => {
    answer = resolve;
  });
  return { read: () => row, answer };
}

const reads = (row: Row | undefined) => async (): Promise<Row | undefined> => row;
const never = async (): Promise<Row | undefined> => {
  throw new Error('nothing is to be read');
};

test('what was read once is remembered until it is revoked', async (t) => {
  const memory = createMemory(1000);
  await memory.remember('user', '7', reads({ version: 1 }));
  t.deepEqual(await memory.remember('user', '7', never), { version: 1 });

  memory.apply([
    { kind: 'user', subject: '8' },
    { kind: 'token', subject: '7' },
  ]);
  t.deepEqual(await memory.remember('user', '7', never), { version: 1 });

  memory.apply([{ kind: 'user', subject: '7' }]);
  t.deepEqual(await memory.remember('user', '7', reads({ version: 2 })), { version: 2 });
});

test('concurrent callers share one read', async (t) => {
  const memory = createMemory(1000);
  const { read, answer } = pending();

  const both = [memory.remember('user', '7', read), memory.remember('user', '7', never)];
  answer({ version: 1 });

  t.deepEqual(await Promise.all(both), [{ version: 1 }, { version: 1 }]);
});

test('what was being read while it was revoked is not remembered, nor shared with later callers', async (t) => {
  const memory = createMemory(1000);
  const { read, answer } = pending();
  const early = memory.remember('user', '7', read);

  memory.apply([{ kind: 'user', subject: '7' }]);
  const late = memory.remember('user', '7', reads({ version: 2 }));
  t.deepEqual(await late, { version: 2 });
  answer({ version: 1 });

  t.deepEqual(await early, { version: 1 });
  t.deepEqual(await memory.remember('user', '7', never), { version: 2 });
});

test('what is not there and what failed are asked for again', async (t) => {
  const memory = createMemory(1000);

  t.is(await memory.remember('token', 'a', reads(undefined)), undefined);
  await t.throwsAsync(memory.remember('token', 'a', never), { message: /nothing/ });

  t.deepEqual(await memory.remember('token', 'a', reads({ version: 1 })), { version: 1 });
});

test('after a silence nothing remembered is believed, and what was revoked stays revoked', async (t) => {
  const memory = createMemory(1000);
  await memory.remember('user', '7', reads({ version: 1 }));
  memory.apply([{ kind: 'family', subject: 'f' }]);

  memory.forget();

  t.true(memory.isRevoked('family', 'f'));
  t.deepEqual(await memory.remember('user', '7', reads({ version: 2 })), { version: 2 });
});

test('a revocation is held for the longest life of a token, and let go of by later ones', (t) => {
  const shortly = createMemory(0);
  shortly.apply([{ kind: 'family', subject: 'first' }]);
  t.true(shortly.isRevoked('family', 'first'));
  t.false(shortly.isRevoked('jti', 'first'));

  shortly.apply([{ kind: 'jti', subject: 'second' }]);

  t.false(shortly.isRevoked('family', 'first'));
  t.true(shortly.isRevoked('jti', 'second'));

  const long = createMemory(60_000);
  long.apply([{ kind: 'family', subject: 'first' }]);
  long.apply([{ kind: 'family', subject: 'second' }]);
  t.true(long.isRevoked('family', 'first'));
});
