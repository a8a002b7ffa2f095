import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { ServiceUnavailable } from '../errors.ts';

// libuv's default. Files and DNS share these threads with the hashing: one of them stays theirs.
const POOL_THREADS = 4;

// One for the process, because the thread pool is. More hashes at a time than cores only hurt.
const limit = pLimit(Math.max(1, Math.min(availableParallelism(), POOL_THREADS - 1)));

/** How many hashes this process computes at a time. */
export const hashingSlots = (): number => limit.concurrency;

/**
 * Sets how many hashes this process computes at a time, with threads for them unless UV_THREADPOOL_SIZE says how many.
 * To be called before the first work in the thread pool, whose size is read then and never again.
 */
export function provideHashing(slots: number): void {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(POOL_THREADS, slots + 1));
  const threads = Number.parseInt(process.env.UV_THREADPOOL_SIZE, 10) || POOL_THREADS;
  limit.concurrency = Math.max(1, Math.min(slots, threads - 1));
}

const QUEUE_PER_SLOT = 16;

/** Runs `work` in a hashing slot; 503 at once where the queue for one is full. */
export async function inHashingSlot<Result>(work: () => Promise<Result>): Promise<Result> {
  if (limit.pendingCount >= QUEUE_PER_SLOT * limit.concurrency) throw new ServiceUnavailable();
  return limit(work);
}
