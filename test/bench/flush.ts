import { setTimeout as pause } from 'node:timers/promises';
import type { Knex } from 'knex';
import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { below, exactly, measured, percentile } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { addFamilies, countFamilies } from './many-families.ts';
import { startPostgres } from './postgres.ts';
import { openStage, startCommand } from './service.ts';
import type { Settings } from './service.ts';
import { createUsers, openSessions } from './sessions.ts';
import type { Scope } from './scope.ts';
import { startSteadyLoad } from './steady-load.ts';
import type { Heard, SteadyLoad } from './steady-load.ts';
import { inTurn } from './turns.ts';

// A million families, a tenth of them expired, and refreshes at a fixed, moderate rate through one process. A
// round has a period with `flush-expired-tokens` running and a quiet one of the same length, in turns first; the
// answers of all periods of a kind are put together. The period begins with the first statement of the flush,
// since a command that starts takes the processor from the service on a machine of two cores. Before each round
// the expired tenth is made and the table vacuumed, unmeasured. Every answer has to be a successor, each flush
// has to delete the expired families, and no other one may be missing in the end. How far the p99 of one half
// of the quiet periods is from that of the other half tells how much the difference means.

const FAMILIES = 1_000_000;
const EXPIRED = 100_000;
const USERS = 1000;
const SESSIONS = 2000;
const RATE = 150;
const SETTLE_MS = 1000;
const LOOK_MS = 5;
const LIMIT_PERCENT = 10;

const SETTINGS: Settings = { ROTATE_REFRESH_TOKENS: 'true', SWEEP_INTERVAL: '0' };

export const flush: Figure = {
  name: 'flush',
  summary: 'Deleting what has expired does not slow down refreshes',
  conditions:
    `${FAMILIES.toLocaleString('en')} families, ${EXPIRED.toLocaleString('en')} of them expired; ` +
    `${RATE} refreshes a second through one server process; fsync on`,
  rounds: 2,
  expectedSeconds: 280,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const { deps, replicas } = await openStage(url, SETTINGS, { replicas: 1 }, scope);
    const users = await createUsers(USERS, deps);
    await addFamilies(FAMILIES - EXPIRED, { expired: 0 }, deps.db);
    // Or it would come in between, in periods of either kind.
    await deps.db.raw('ALTER TABLE token_family SET (autovacuum_enabled = false)');
    const sessions = await openSessions(SESSIONS, users, deps);
    const load = startSteadyLoad(RATE, sessions, inTurn(replicas, 0));
    scope.onClose(load.stop);
    await pause(SETTLE_MS);

    const bench: Bench = { url, deps, load, scope };
    const periods: Period[] = [];
    const progress = startProgress('Rounds', rounds);
    for (let round = 0; round < rounds; round += 1) {
      await restock(bench);
      // Nobody knows how long a flush takes before the first one.
      const before = periods.at(-1)?.ms;
      if (round % 2 === 1 && before !== undefined) periods.push(await watchQuiet(before, bench));
      const flushed = await watchFlush(bench);
      periods.push(flushed);
      if (round % 2 === 0) periods.push(await watchQuiet(flushed.ms, bench));
      progress.advanceTo(round + 1);
    }
    progress.stop();
    await load.stop();
    const { live } = await countFamilies(deps.db);
    return findingsOf(periods, FAMILIES - EXPIRED + SESSIONS - live);
  },
};

interface Bench {
  url: string;
  deps: RequestDeps;
  load: SteadyLoad;
  scope: Scope;
}

interface Period extends Heard {
  ms: number;
  /** undefined: it was a quiet one. */
  deleted?: number;
}

async function watchQuiet(ms: number, { load }: Bench): Promise<Period> {
  await pause(SETTLE_MS);
  load.take();
  await pause(ms);
  return { ...load.take(), ms };
}

async function watchFlush({ url, deps, load, scope }: Bench): Promise<Period> {
  await pause(SETTLE_MS);
  const { expired: before } = await countFamilies(deps.db);
  const command = startCommand('flush-expired-tokens', url, SETTINGS, scope);
  while (!command.hasLeft() && !(await isFlushing(deps.db))) await pause(LOOK_MS);
  load.take();
  const start = performance.now();
  const code = await command.exit();
  const period = { ...load.take(), ms: performance.now() - start };
  if (code !== 0) throw new Error(`the flush failed:\n${command.output()}`);
  return { ...period, deleted: before - (await countFamilies(deps.db)).expired };
}

async function isFlushing(db: Knex): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `SELECT 1 FROM pg_stat_activity
     WHERE query LIKE '%DELETE FROM token_family%' AND pid <> pg_backend_pid()`,
  );
  return rows.length > 0;
}

/** As many expired families as there are to be, and a table without dead rows. */
async function restock({ deps: { db } }: Bench): Promise<void> {
  await addFamilies(EXPIRED, { expired: EXPIRED }, db);
  await db.raw('VACUUM ANALYZE token_family');
  await db.raw('CHECKPOINT');
}

function findingsOf(periods: Period[], missing: number): Finding[] {
  const flushes = periods.filter(({ deleted }) => deleted !== undefined);
  const quiets = periods.filter(({ deleted }) => deleted === undefined);
  const [during, quiet] = [latenciesOf(flushes), latenciesOf(quiets)];
  const [p99, quietP99] = [percentile(during, 0.99), percentile(quiet, 0.99)];
  const halves = [0, 1].map((half) =>
    percentile(latenciesOf(quiets.filter((_, index) => index % 2 === half)), 0.99),
  );
  const tooFew = flushes.filter(({ deleted }) => deleted !== EXPIRED);
  return [
    below('p99 of refreshes rises by', (p99 / quietP99 - 1) * 100, LIMIT_PERCENT, '%'),
    measured('p99 in quiet periods', quietP99, 'ms'),
    measured('p99 in quiet periods, halves apart: lower', Math.min(...halves), 'ms'),
    measured('p99 in quiet periods, halves apart: higher', Math.max(...halves), 'ms'),
    measured('p99 during a flush', p99, 'ms'),
    measured('p50 in quiet periods', percentile(quiet, 0.5), 'ms'),
    measured('p50 during a flush', percentile(during, 0.5), 'ms'),
    measured('refreshes in quiet periods', quiet.length),
    measured('refreshes during a flush', during.length),
    measured(
      'a flush takes',
      percentile(
        flushes.map(({ ms }) => ms),
        0.5,
      ) / 1000,
      's',
    ),
    exactly('flushes that deleted other than the expired ones', tooFew.length, 0),
    exactly('live families that are missing', missing, 0),
    refused('in quiet periods', quiets),
    refused('during a flush', flushes),
  ];
}

const latenciesOf = (periods: Period[]): number[] => periods.flatMap(({ latencies }) => latencies);

function refused(when: string, periods: Period[]): Finding {
  const statuses = periods.flatMap(({ refusals }) => refusals);
  const told = statuses.length > 0 ? ` (${[...new Set(statuses)].join(', ')})` : '';
  return exactly(`refreshes refused ${when}${told}`, statuses.length, 0);
}
