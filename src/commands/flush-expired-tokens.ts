import type { Deps } from '../deps.ts';
import { estimateRows, flushBlacklistedTokens, flushExpiredFamilies } from '../jwt/flush.ts';
import type { Flush } from '../jwt/flush.ts';
import { startProgress } from './progress.ts';

const BATCH = 1000;

const TABLES = [
  { table: 'token_family', label: 'Sessions', flush: flushExpiredFamilies },
  { table: 'blacklisted_token', label: 'Blacklisted tokens', flush: flushBlacklistedTokens },
] as const;

export async function flushExpiredTokens(
  { dryRun = false }: { dryRun?: boolean },
  { config, db, now }: Deps,
): Promise<string> {
  // Within LEEWAY an expired token still passes: what revokes it must outlive it.
  const before = new Date(now().getTime() - config.LEEWAY * 1000);
  const counts: number[] = [];
  for (const { table, label, flush } of TABLES) {
    const progress = startProgress(label, await estimateRows(table, db));
    const options: Flush = { batch: BATCH, dryRun, onBatch: progress.advanceTo };
    counts.push(await flush(before, options, db).finally(progress.stop));
  }
  const [sessions = 0, tokens = 0] = counts;
  const verb = dryRun ? 'Would delete' : 'Deleted';
  return `${verb} ${count(sessions, 'expired session')} and ${count(tokens, 'expired blacklisted token')}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
