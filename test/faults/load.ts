import { setTimeout as pause } from 'node:timers/promises';

/** What came of requests that were sent at a fixed rate, whether or not the answers came. */
export interface Tally {
  sent: number;
  /** By status; 0 where no answer came. */
  statuses: Map<number, number>;
  /** Why none came. */
  reasons: Map<string, number>;
  /** When each answer came and what it was, in milliseconds of performance.now(). */
  answers: { sentAt: number; at: number; status: number; retryAfter: string | undefined }[];
}

type Ask = () => Promise<{ status: number; headers: Record<string, unknown> }>;

/** Sends `rate` requests a second until told to stop, which waits for what is under way. */
export function startLoad(rate: number, ask: Ask): { stop: () => Promise<Tally> } {
  const tally: Tally = { sent: 0, statuses: new Map(), reasons: new Map(), answers: [] };
  const pending = new Set<Promise<void>>();
  let isOver = false;
  const askOnce = async (): Promise<void> => {
    const sentAt = performance.now();
    let status = 0;
    let retryAfter: string | undefined;
    try {
      const answer = await ask();
      ({ status } = answer);
      retryAfter = answer.headers['retry-after'] as string | undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
    }
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    tally.answers.push({ sentAt, at: performance.now(), status, retryAfter });
  };
  const run = async (): Promise<void> => {
    const start = performance.now();
    for (; !isOver; tally.sent += 1) {
      const wait = start + (tally.sent * 1000) / rate - performance.now();
      if (wait > 0) await pause(wait);
      const one = askOnce().finally(() => pending.delete(one));
      pending.add(one);
    }
    await Promise.all(pending);
  };
  const running = run();
  return {
    stop: async () => {
      isOver = true;
      await running;
      return tally;
    },
  };
}

/** How many answers were not of these statuses. */
export const others = ({ statuses }: Tally, expected: readonly number[]): number =>
  [...statuses].reduce((sum, [status, count]) => sum + (expected.includes(status) ? 0 : count), 0);
