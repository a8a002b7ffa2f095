import { setTimeout as pause } from 'node:timers/promises';
import type { Knex } from 'knex';
import { startProgress } from '../../src/commands/progress.ts';
import { below, percentile } from './figure.ts';
import type { Figure, Finding, Outcome, Plot, Table } from './figure.ts';
import { startPostgres } from './postgres.ts';
import { fill } from './scale/fill.ts';
import { provoke } from './scale/hostile.ts';
import { openAccess, pickBlacklisted, pickHolders } from './scale/size.ts';
import type { Size } from './scale/size.ts';
import { bytesPerRow, crowd, pagesTouched, walOfSessions } from './scale/storage.ts';
import {
  DEEP_ORDERINGS,
  LOOK_UP,
  PAGE_1,
  PAGE_400,
  REFRESH,
  ROTATION,
  WORKS,
  findDeepPage,
} from './scale/works.ts';
import type { Scope } from './scope.ts';
import { openDatabase, startReplicas } from './service.ts';
import type { Settings } from './service.ts';
import { inTurn } from './turns.ts';

// Three databases on one server, filled with as many products, sessions and blacklisted tokens each, and a server
// process for each on which refreshes rotate and one on which they do not. In a round every work is done a few times
// at each size in turn, one request at a time, so that all sizes have the same weather; the times are medians over
// all rounds, and those over HTTP include the service. An answer other than the due one fails the whole. Rows that are
// looked for lie scattered over the tables. Hostile requests and what others feel of them are those of the largest
// size. The tables are filled without their indexes and with less log (wal_level = minimal, rare checkpoints), which
// is the server's configuration throughout; everything else is PostgreSQL's default.

const SIZES: Record<string, number> = { '10k': 10_000, '1M': 1_000_000, '10M': 10_000_000 };
const TIMES = 3;
const WARM_UP = 30;
const PAGES = 400;
const SERVER = [
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=32GB',
  'checkpoint_timeout=1h',
];
const SETTINGS: Settings = { SWEEP_INTERVAL: '0' };
const ROTATING: Settings = { ...SETTINGS, ROTATE_REFRESH_TOKENS: 'true' };

export const scale: Figure = {
  name: 'scale',
  summary: 'What a request costs does not grow with the tables',
  conditions:
    'one request at a time, all sizes in turn; fsync on, wal_level minimal, checkpoints an hour apart',
  rounds: 60,
  expectedSeconds: 540,
  parts: Object.keys(SIZES),
  chartFile: 'BENCHMARKS-scale.svg',
  run: async (rounds, scope, parts) => {
    const counts = Object.entries(SIZES)
      .filter(([name]) => parts.length === 0 || parts.includes(name))
      .map(([, rows]) => rows);
    const sizes = await openSizes(counts, scope);
    const [smallest, largest] = [inTurn(sizes, 0), inTurn(sizes, sizes.length - 1)];
    const latencies = await measureWorks(rounds, sizes);
    const touched = new Map<number, [string, number][]>();
    for (const size of sizes) touched.set(size.rows, await pagesTouched(size));
    const storage = [...(await bytesPerRow(largest)), ...(await walOfSessions(largest))];
    const hostile = await provoke(largest);
    const crowded = await crowd(largest);
    const medianOf = (name: string, { rows }: Size): number =>
      percentile(latencies.get(name)?.get(rows) ?? [], 0.5);
    const ratio = (what: string, [to, from]: [string, string], limit: number): Finding =>
      below(what, medianOf(to, largest) / medianOf(from, smallest), limit, 'x');
    const [big, small] = [largest, smallest].map(({ rows }) => rows.toLocaleString('en'));
    return {
      findings: [
        ratio(`page 400 of ${big} products, page 1 of ${small} is 1`, [PAGE_400, PAGE_1], 1.2),
        ...[ROTATION, REFRESH, LOOK_UP].map((name) =>
          ratio(`${name}: ${big} sessions, ${small} is 1`, [name, name], 1.3),
        ),
        ...hostile.findings,
        ...crowded,
        ...storage,
      ],
      tables: [latencyTable(sizes, medianOf), touchedTable(touched), hostile.table],
      chart: plotOf(sizes, medianOf),
    } satisfies Outcome;
  },
};

async function openSizes(counts: readonly number[], scope: Scope): Promise<Size[]> {
  const url = new URL(await startPostgres(scope, 'all', SERVER));
  const opened: { rows: number; url: string; deps: Size['deps'] }[] = [];
  const admin = await openDatabase(url.href, SETTINGS, scope);
  for (const rows of counts) {
    url.pathname = `/rows_${rows}`;
    await admin.db.raw('CREATE DATABASE ??', [`rows_${rows}`]);
    opened.push({ rows, url: url.href, deps: await openDatabase(url.href, ROTATING, scope) });
  }
  await fill(opened.map(({ rows, deps: { db } }) => ({ rows, db })));
  await admin.db.raw('CHECKPOINT');
  const sizes: Size[] = [];
  for (const { rows, url: href, deps } of opened) {
    const [rotating, keeping] = [
      ...(await startReplicas([href], ROTATING, scope)),
      ...(await startReplicas([href], SETTINGS, scope)),
    ];
    if (!rotating || !keeping) throw new Error('there is no replica');
    const served = { keeping, access: await openAccess(deps) };
    const deep = new Map<string, string>();
    for (const ordering of DEEP_ORDERINGS)
      deep.set(ordering, await findDeepPage(ordering, served, PAGES));
    const picked = await pickHolders(rows, deps);
    const blacklisted = await pickBlacklisted(rows, deps);
    sizes.push({ rows, deps, rotating, ...served, deep, ...picked, blacklisted });
  }
  await settle(admin.db);
  return sizes;
}

/** Until nothing of the filling goes on behind our back. */
async function settle(db: Knex): Promise<void> {
  await db.raw('CHECKPOINT');
  await pause(1000);
}

/** Milliseconds by work and rows. */
type Latencies = Map<string, Map<number, number[]>>;

async function measureWorks(rounds: number, sizes: readonly Size[]): Promise<Latencies> {
  const latencies: Latencies = new Map(
    WORKS.map(({ name }) => [name, new Map(sizes.map(({ rows }) => [rows, []]))]),
  );
  const progress = startProgress('Rounds', rounds);
  let turn = 0;
  for (const { once } of WORKS)
    for (const size of sizes)
      for (let time = 0; time < WARM_UP; time += 1) await once(size, (turn += 1));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, once } of WORKS)
      for (let index = 0; index < sizes.length; index += 1) {
        // Each size is first as often as it is last.
        const size = inTurn(sizes, index + round);
        for (let time = 0; time < TIMES; time += 1) {
          const start = performance.now();
          await once(size, (turn += 1));
          latencies
            .get(name)
            ?.get(size.rows)
            ?.push(performance.now() - start);
        }
      }
    progress.advanceTo(round + 1);
  }
  progress.stop();
  return latencies;
}

type MedianOf = (name: string, size: Size) => number;

function latencyTable(sizes: readonly Size[], medianOf: MedianOf): Table {
  const [smallest, largest] = [inTurn(sizes, 0), inTurn(sizes, sizes.length - 1)];
  return {
    title: 'Milliseconds, medians',
    head: [
      'work',
      ...sizes.map(({ rows }) => `${rows.toLocaleString('en')} rows`),
      'largest to smallest',
    ],
    rows: WORKS.map(({ name }) => [
      name,
      ...sizes.map((size) => medianOf(name, size).toFixed(2)),
      `${(medianOf(name, largest) / medianOf(name, smallest)).toFixed(2)} x`,
    ]),
  };
}

function touchedTable(touched: ReadonlyMap<number, [string, number][]>): Table {
  const columns = [...touched];
  return {
    title: 'Pages of 8 kB that the statements touch',
    head: ['statements', ...columns.map(([rows]) => `${rows.toLocaleString('en')} rows`)],
    rows: (columns[0]?.[1] ?? []).map(([name], row) => [
      name,
      ...columns.map(([, counts]) => String(counts[row]?.[1] ?? '')),
    ]),
  };
}

function plotOf(sizes: readonly Size[], medianOf: MedianOf): Plot {
  const panels = [...new Set(WORKS.map(({ panel }) => panel))];
  return {
    title: 'Milliseconds a request against rows',
    note: 'medians, one request at a time, all sizes in one run; both axes logarithmic',
    x: sizes.map(({ rows }) => rows),
    panels: panels.map((title) => ({
      title,
      lines: WORKS.filter(({ panel }) => panel === title).map(({ name }) => ({
        label: name,
        values: sizes.map((size) => medianOf(name, size)),
      })),
    })),
  };
}
