import { setTimeout as pause } from 'node:timers/promises';
import { refresh } from './http-client.ts';
import type { Replica } from './service.ts';
import { successorIn } from './sessions.ts';
import type { Session } from './sessions.ts';

/** What came back in some time. */
export interface Heard {
  /** Milliseconds of each answer. */
  latencies: number[];
  /** The statuses of the answers without a successor; 0 for none at all. */
  refusals: number[];
}

export interface SteadyLoad {
  /** Since the last call. */
  take: () => Heard;
  stop: () => Promise<void>;
}

/** Refreshes at a fixed rate, whether or not the answers come: a stall is felt by all that come during it. */
export function startSteadyLoad(
  rate: number,
  sessions: Session[],
  { origin }: Replica,
): SteadyLoad {
  let heard: Heard = { latencies: [], refusals: [] };
  let isOver = false;
  // Those whose last answer has come, the longest idle first.
  const idle = sessions.map(({ refresh: token }) => ({ token }));
  const pending = new Set<Promise<void>>();

  const refreshOnce = async (holder: { token: string }): Promise<void> => {
    const start = performance.now();
    const answer = await refresh(origin, holder.token).catch(() => undefined);
    heard.latencies.push(performance.now() - start);
    const successor = answer && successorIn(answer);
    if (successor === undefined) heard.refusals.push(answer?.status ?? 0);
    // What was refused for once may be taken again.
    idle.push({ token: successor ?? holder.token });
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
    take: () => {
      const taken = heard;
      heard = { latencies: [], refusals: [] };
      return taken;
    },
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}
