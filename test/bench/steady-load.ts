import { setTimeout as pause } from 'node:timers/promises';
import { refresh } from './http-client.ts';
import type { Replica } from './service.ts';
import { successorIn } from './sessions.ts';
import type { Session } from './sessions.ts';

export interface SteadyLoad {
  /** Milliseconds of each answer since the last call. */
  takeLatencies: () => number[];
  /** Answers without a successor, or none at all. */
  refused: () => number;
  stop: () => Promise<void>;
}

/** Refreshes at a fixed rate, whether or not the answers come: a stall is felt by all that come during it. */
export function startSteadyLoad(
  rate: number,
  sessions: Session[],
  { origin }: Replica,
): SteadyLoad {
  let latencies: number[] = [];
  let refused = 0;
  let isOver = false;
  // Those whose last answer has come, the longest idle first.
  const idle = sessions.map(({ refresh: token }) => ({ token }));
  const pending = new Set<Promise<void>>();

  const refreshOnce = async (holder: { token: string }): Promise<void> => {
    const start = performance.now();
    const answer = await refresh(origin, holder.token).catch(() => undefined);
    latencies.push(performance.now() - start);
    const successor = answer && successorIn(answer);
    if (successor === undefined) refused += 1;
    else idle.push({ token: successor });
  };
  const run = async (): Promise<void> => {
    const start = performance.now();
    for (let sent = 0; !isOver; sent += 1) {
      await pause(Math.max(0, start + (sent * 1000) / rate - performance.now()));
      const holder = idle.shift();
      if (!holder) throw new Error('every session waits for an answer: the rate is too high');
      const one = refreshOnce(holder).finally(() => pending.delete(one));
      pending.add(one);
    }
    await Promise.all(pending);
  };
  const running = run();
  running.catch(() => {}); // told by stop
  return {
    takeLatencies: () => {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    refused: () => refused,
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}
