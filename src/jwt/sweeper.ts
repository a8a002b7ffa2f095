import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Deps } from '../deps.ts';
import type { Stream } from '../revocation/stream.ts';
import { FLUSHED, flushedBefore, GENTLY } from './flush.ts';

// A deployment that restarts often is swept, too.
const FIRST_MS = 60_000;
// setTimeout holds no longer time than 2^31 ms.
const LONGEST_MS = 2_147_483_647;

/**
 * Deletes what has expired every SWEEP_INTERVAL, on one replica of all: the one that leads. `stop` waits for the
 * batch that runs.
 */
export function startSweeper(
  deps: Deps,
  { tryToLead }: Pick<Stream, 'tryToLead'>,
  log: Pick<Logger, 'info' | 'error'>,
  onSwept: (rows: Readonly<Record<string, number>>) => void = () => {},
): { stop: () => Promise<void> } {
  const interval = Math.min(deps.config.SWEEP_INTERVAL * 1000, LONGEST_MS);
  if (interval === 0) return { stop: async () => undefined };
  const stopping = new AbortController();
  const { signal } = stopping;

  async function sweepFromTimeToTime(): Promise<void> {
    await wait(Math.min(FIRST_MS, interval), signal);
    while (!signal.aborted) {
      try {
        if (await tryToLead()) {
          const rows = await sweep(deps, signal);
          log.info(rows, 'swept');
          onSwept(rows);
        }
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'the sweep failed');
      }
      await wait(interval, signal);
    }
  }

  const running = sweepFromTimeToTime();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Deletes what has expired; how many rows of each table. Rejects after the batch during which `signal` came. */
export async function sweep(deps: Deps, signal: AbortSignal): Promise<Record<string, number>> {
  const before = flushedBefore(deps);
  const onBatch = (): Promise<void> => pause(GENTLY.pauseMs, undefined, { signal, ref: false });
  const counts: Record<string, number> = {};
  const failures: unknown[] = [];
  for (const { table, flush } of FLUSHED) {
    try {
      counts[table] = await flush(before, { batch: GENTLY.batch, dryRun: false, onBatch }, deps);
    } catch (error) {
      // One table that cannot be swept must not keep the others from it.
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything was swept');
  return counts;
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
