import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { flushExpiredTokens } from '../../src/commands/flush-expired-tokens.ts';
import { flushBlacklistedTokens, flushExpiredFamilies } from '../../src/jwt/flush.ts';
import { insertUser } from '../../src/users/repository.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase } from '../support/database.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

async function createRows(t: ExecutionContext, offsets: number[]) {
  const db = await createDatabase(t);
  const { id: user_id } = await insertUser({ username: 'alice', password: '!' }, db);
  const rows = offsets.map((seconds) => ({
    id: randomUUID(),
    expires_at: new Date(NOW.getTime() + seconds * 1000),
  }));
  await db('token_family').insert(
    rows.map((row) => ({
      ...row,
      user_id,
      token_version: 0,
      current_jti: row.id,
      created_at: NOW,
    })),
  );
  await db('blacklisted_token').insert(
    rows.map(({ id, expires_at }) => ({ jti: id, blacklisted_at: NOW, expires_at })),
  );
  const left = async (): Promise<number[][]> =>
    Promise.all(
      ['token_family', 'blacklisted_token'].map(async (table) => {
        const found: { expires_at: Date }[] = await db(table)
          .orderBy('expires_at')
          .select('expires_at');
        return found.map(({ expires_at }) => (expires_at.getTime() - NOW.getTime()) / 1000);
      }),
    );
  return { db, left };
}

// The last access token of a session, and a minute for clocks that differ.
const OUTLIVED = -360;

test('what has expired goes, what has not stays', async (t) => {
  const all = [-86_400, OUTLIVED - 1, OUTLIVED, OUTLIVED + 1, 86_400];
  const { db, left } = await createRows(t, all);
  const deps = { config: testConfig(), db, now: () => NOW };

  t.is(
    await flushExpiredTokens({ dryRun: true }, deps),
    'Would delete 3 expired sessions, 3 expired blacklisted tokens, 0 past revocations, 0 expired idempotency keys, 0 past rates and 0 old audit events.',
  );
  t.deepEqual(await left(), [all, all]);
  t.is(
    await flushExpiredTokens({}, deps),
    'Deleted 3 expired sessions, 3 expired blacklisted tokens, 0 past revocations, 0 expired idempotency keys, 0 past rates and 0 old audit events.',
  );
  t.deepEqual(await left(), [
    [OUTLIVED + 1, 86_400],
    [OUTLIVED + 1, 86_400],
  ]);
});

test('what still passes by LEEWAY, once for each of two clocks, stays revocable', async (t) => {
  const { db, left } = await createRows(t, [OUTLIVED - 121, OUTLIVED - 119]);
  const deps = { config: testConfig({ LEEWAY: 60 }), db, now: () => NOW };

  t.is(
    await flushExpiredTokens({}, deps),
    'Deleted 1 expired session, 1 expired blacklisted token, 0 past revocations, 0 expired idempotency keys, 0 past rates and 0 old audit events.',
  );

  t.deepEqual(await left(), [[OUTLIVED - 119], [OUTLIVED - 119]]);
});

test('batches walk over all rows, whatever their order, and over equal times', async (t) => {
  const offsets = Array.from({ length: 25 }, (_, index) => (index % 2 === 0 ? -10 : 10));
  const { db, left } = await createRows(t, offsets);
  const seen: number[] = [];
  const flush = { batch: 4, dryRun: false, onBatch: (rows: number) => seen.push(rows) };

  t.is(await flushExpiredFamilies(NOW, { ...flush, dryRun: true }, { db }), 13);
  t.deepEqual(seen.splice(0), [4, 8, 12, 16, 20, 24, 25]);
  t.is(await flushExpiredFamilies(NOW, flush, { db }), 13);
  t.deepEqual(seen.splice(0), [4, 8, 12, 16, 20, 24, 25]);
  t.is(await flushBlacklistedTokens(NOW, flush, { db }), 13);
  t.deepEqual(seen, [4, 8, 12, 13]);

  t.deepEqual(await left(), [Array(12).fill(10), Array(12).fill(10)]);
});
