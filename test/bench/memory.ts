import { startProgress } from '../../src/commands/progress.ts';
import { below, measured } from './figure.ts';
import type { Figure } from './figure.ts';
import { CONNECTIONS } from './speed/lanes.ts';
import { residentBytesOf } from './speed/process-group.ts';
import { openSpeedStage } from './speed/stage.ts';
import { WORKS } from './speed/works.ts';
import { load } from './speed/wrk.ts';

// One server process, asked by wrk for what clients ask most: pages by JWT and by Token, verifications, refreshes.
// Its resident memory is read from /proc after each stretch of a few seconds. A leak shows as growth between the
// second quarter of the requests, when caches are full and code is compiled, and the last.

const MIXED = ['page', 'token', 'verify', 'refresh'];
const STRETCH_SECONDS = 5;
const SHOWN = 10;
const MIB = 2 ** 20;
const MOST_MIB = 200;
const FLAT_MIB = 15;

interface Reading {
  requests: number;
  mib: number;
}

export const memory: Figure = {
  name: 'memory',
  summary: 'The memory of a worker after a million requests',
  conditions: `product pages by JWT and by Token, verifications and refreshes in turn, ${CONNECTIONS} connections, one server process`,
  rounds: 1_000_000,
  roundsAre: 'requests',
  expectedSeconds: 240,
  run: async (rounds, scope) => {
    const stage = await openSpeedStage(scope);
    const { origin, group } = stage.latchkey;
    const asks = WORKS.filter(({ name }) => MIXED.includes(name)).flatMap(
      (work) => work.asks ?? [],
    );
    const each = await Promise.all(asks.map(({ requests }) => requests(stage, 1)));
    const requests = mixed(each);

    const rss = (): number => residentBytesOf(group) / MIB;
    const readings: Reading[] = [{ requests: 0, mib: rss() }];
    const progress = startProgress('Requests', rounds);
    for (let done = 0; done < rounds;) {
      const how = { connections: CONNECTIONS, seconds: STRETCH_SECONDS };
      done += (await load({ origin, requests, ...how })).requests;
      readings.push({ requests: done, mib: rss() });
      progress.advanceTo(Math.min(done, rounds));
    }
    progress.stop();

    const growth = meanBetween(readings, 0.75, 1) - meanBetween(readings, 0.25, 0.5);
    return {
      findings: [
        below(
          'resident memory, at most',
          Math.max(...readings.map(({ mib }) => mib)),
          MOST_MIB,
          'MiB',
        ),
        below('growth from the second quarter to the last', growth, FLAT_MIB, 'MiB'),
        measured('requests', readings.at(-1)?.requests ?? 0),
      ],
      tables: [
        {
          title: 'Resident memory over time',
          head: ['requests', 'MiB'],
          rows: some(readings).map(({ requests: after, mib }) => [
            after.toLocaleString('en'),
            mib.toFixed(0),
          ]),
        },
      ],
    };
  },
};

/** One of each in turn, as often as the longest list is long. */
function mixed<Item>(lists: readonly Item[][]): Item[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list[index % list.length] ?? []),
  ).flat();
}

/** Over the readings between two shares of the requests. */
function meanBetween(readings: readonly Reading[], from: number, to: number): number {
  const total = readings.at(-1)?.requests ?? 0;
  const chosen = readings.filter(
    ({ requests }) => requests > from * total && requests <= to * total,
  );
  return chosen.reduce((sum, { mib }) => sum + mib, 0) / chosen.length;
}

/** The first, the last, and some between. */
function some(readings: readonly Reading[]): Reading[] {
  const step = Math.max(1, (readings.length - 1) / SHOWN);
  const indexes = Array.from({ length: SHOWN + 1 }, (_, index) => Math.round(index * step));
  return [...new Set(indexes)].flatMap((index) => readings[index] ?? []);
}
