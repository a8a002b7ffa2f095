import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { ServiceUnavailable } from '../errors.ts';

// libuv's default. Files and DNS share these threads with the hashing: one of them stays theirs.
const POOL_THREADS = 4;

/** How many hashes are computed at a time: more threads than cores only hurt. */
export const HASHING_SLOTS = Math.max(1, Math.min(availableParallelism(), POOL_THREADS - 1));

const QUEUE_LENGTH = 16 * HASHING_SLOTS;

// One for the process, because the thread pool is.
const limit = pLimit(HASHING_SLOTS);

/** Runs `work` in a hashing slot; 503 at once where the queue for one is full. */
export async function inHashingSlot<Result>(work: () => Promise<Result>): Promise<Result> {
  if (limit.pendingCount >= QUEUE_LENGTH) throw new ServiceUnavailable();
  return limit(work);
}
