import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, constants, getPriority, setPriority } from 'node:os';
import pLimit from 'p-limit';
import { ServiceUnavailable } from '../errors.ts';

// libuv's default. Files and DNS share these threads with the hashing: one of them stays theirs.
const POOL_THREADS = 4;

// One for the process, because the thread pool is. More hashes at a time than cores only hurt.
const limit = pLimit(Math.max(1, Math.min(availableParallelism(), POOL_THREADS - 1)));

/** Of hashes: those that are computed, and those that wait for it. */
export const hashingLoad = (): { active: number; pending: number } => ({
  active: limit.activeCount,
  pending: limit.pendingCount,
});

/** How many hashes this process computes at a time. */
export const hashingSlots = (): number => limit.concurrency;

/**
 * Sets how many hashes this process computes at a time, with threads for them unless UV_THREADPOOL_SIZE says how many.
 * To be called before the first work in the thread pool, whose size is read then and never again.
 */
export async function provideHashing(slots: number): Promise<void> {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(POOL_THREADS, slots + 1));
  const threads = Number.parseInt(process.env.UV_THREADPOOL_SIZE, 10) || POOL_THREADS;
  limit.concurrency = Math.max(1, Math.min(slots, threads - 1));
  await giveWay();
}

const TASKS = '/proc/self/task';
// As nice(1) means it: a tenth of a core for hashing where answers could use the whole.
const NICENESS = 10;

// A page is done before the system would take its core from a thread that hashes, so these threads are told to give
// way. Only Linux knows a priority of threads, and elsewhere there is nothing to be found.
async function giveWay(): Promise<void> {
  const giving = Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW);
  try {
    for (const thread of await readdir(TASKS)) {
      const name = await readFile(`${TASKS}/${thread}/comm`, 'utf8');
      if (name.trim() === 'libuv-worker') setPriority(Number(thread), giving);
    }
  } catch {
    // They hash all the same.
  }
}

const QUEUE_PER_SLOT = 16;

/** Runs `work` in a hashing slot; 503 at once where the queue for one is full. */
export async function inHashingSlot<Result>(work: () => Promise<Result>): Promise<Result> {
  if (limit.pendingCount >= QUEUE_PER_SLOT * limit.concurrency) throw new ServiceUnavailable();
  return limit(work);
}
