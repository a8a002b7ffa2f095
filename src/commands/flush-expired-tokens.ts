import { setTimeout as pause } from 'node:timers/promises';
import type { Deps } from '../deps.ts';
import { estimateRows, FLUSHED, flushedBefore, GENTLY } from '../jwt/flush.ts';
import type { Flush } from '../jwt/flush.ts';
import { startProgress } from './progress.ts';

export async function flushExpiredTokens(
  { dryRun = false }: { dryRun?: boolean },
  deps: Deps,
): Promise<string> {
  const before = flushedBefore(deps);
  const counts: number[] = [];
  for (const { table, label, flush } of FLUSHED) {
    const progress = startProgress(label, await estimateRows(table, deps.db));
    const onBatch = async (seen: number): Promise<void> => {
      progress.advanceTo(seen);
      if (!dryRun) await pause(GENTLY.pauseMs);
    };
    const options: Flush = { batch: GENTLY.batch, dryRun, onBatch };
    counts.push(await flush(before, options, deps).finally(progress.stop));
  }
  const [sessions = 0, tokens = 0, revocations = 0, keys = 0, rates = 0, events = 0] = counts;
  const verb = dryRun ? 'Would delete' : 'Deleted';
  return (
    `${verb} ${count(sessions, 'expired session')}, ${count(tokens, 'expired blacklisted token')}, ` +
    `${count(revocations, 'past revocation')}, ${count(keys, 'expired idempotency key')}, ` +
    `${count(rates, 'past rate')} and ${count(events, 'old audit event')}.`
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
