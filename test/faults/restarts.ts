import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { below, exactly, measured } from '../bench/figure.ts';
import type { Figure } from '../bench/figure.ts';
import { exchange } from '../bench/http-client.ts';
import { createPostgres } from '../bench/postgres.ts';
import { openStage } from '../bench/service.ts';
import { createUsers, openSession } from '../bench/sessions.ts';
import { others, startLoad } from './load.ts';
import type { Tally } from './load.ts';

// One replica, asked for pages by JWT at a fixed rate, while PostgreSQL is stopped and started again: fast (SIGINT),
// immediate (SIGQUIT, which recovers at the start) and SIGKILL in turn. It is away for two seconds each time.

const RATE = 200;
const AWAY_MS = 2000;
const BETWEEN_MS = 2500;
const SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;

export const restarts: Figure = {
  name: 'restarts',
  summary: 'PostgreSQL restarted under load',
  conditions: `one replica, ${RATE} pages/s by JWT; fast, immediate and SIGKILL in turn, two seconds away each time`,
  rounds: 20,
  roundsAre: 'restarts',
  expectedSeconds: 110,
  run: async (rounds, scope) => {
    const postgres = await createPostgres(scope);
    const { deps, replicas } = await openStage(postgres.url, {}, { replicas: 1 }, scope);
    const [[user], [replica]] = [await createUsers(1, deps), replicas];
    if (!user || !replica) throw new Error('there is nobody to ask, or nobody who asks');
    const { access: bearer } = await openSession(user, deps);
    const load = startLoad(RATE, () => exchange(replica.origin, '/products/', { bearer }));
    const progress = startProgress('Restarts', rounds);
    const backAt: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await pause(BETWEEN_MS);
      await postgres.stop(SIGNALS[round % SIGNALS.length] ?? 'SIGINT');
      await pause(AWAY_MS);
      await postgres.start();
      backAt.push(performance.now());
      progress.advanceTo(round + 1);
    }
    await pause(BETWEEN_MS);
    progress.stop();
    const tally = await load.stop();
    const refusals = tally.answers.filter(({ status }) => status === 503);
    const waits = backAt.map((back) => firstSuccessAfter(back, tally) - back);
    return {
      findings: [
        measured('requests', tally.sent),
        exactly('requests without an answer', tally.statuses.get(0) ?? 0, 0),
        exactly('answers other than 200 and 503', others(tally, [0, 200, 503]), 0),
        measured('answers of 503', refusals.length),
        exactly(
          'of them without Retry-After',
          refusals.filter(({ retryAfter }) => !retryAfter).length,
          0,
        ),
        below(
          'the slowest of them',
          longest(refusals.map(({ sentAt, at }) => at - sentAt)),
          1200,
          'ms',
        ),
        below('first 200 after PostgreSQL is back, longest', longest(waits), 2000, 'ms'),
        exactly('replicas that left', replica.hasLeft() ? 1 : 0, 0),
      ],
      tables: [],
      notes: [...tally.reasons].map(([reason, count]) => `${count} x ${reason}.`),
    };
  },
};

const longest = (values: number[]): number => Math.max(0, ...values);

// Of a request that was sent after it was back.
function firstSuccessAfter(instant: number, { answers }: Tally): number {
  const found = answers.filter(({ sentAt, status }) => status === 200 && sentAt >= instant);
  return Math.min(...found.map(({ at }) => at));
}
