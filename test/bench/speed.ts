import { startProgress } from '../../src/commands/progress.ts';
import type { Figure, Finding, Outcome } from './figure.ts';
import { createScope } from './scope.ts';
import type { Scope } from './scope.ts';
import { isPinned } from './speed/cores.ts';
import { judged } from './speed/goals.ts';
import { queriesPerRequest } from './speed/queries-per-request.ts';
import { PAGES_BESIDE } from './speed/login-work.ts';
import { inRounds } from './speed/rounds.ts';
import type { LaneResult } from './speed/rounds.ts';
import { openSpeedStage } from './speed/stage.ts';
import type { Stage } from './speed/stage.ts';
import { barsOf, tableOf } from './speed/tables.ts';
import type { Work } from './speed/work.ts';
import { WORKS } from './speed/works.ts';

// All contenders serve one table of one database. For each work every contender is first asked once: its status has
// to be the due one, and lists of products have to say the same. Then wrk asks each of them in turn, A B C A B C, after
// a warm-up each; a run with a single answer that is no success, or none in time, is a failure of the whole and no
// result. Rates are medians over the rounds. A ratio is made in each round of two runs that were neighbours, and its
// median is held against the goal. CPU time is that of all processes of a server, from /proc.

export const speed: Figure = {
  name: 'speed',
  summary: 'Latchkey and what a team would pick instead, side by side in one run',
  conditions: isPinned
    ? 'servers have one core to themselves, load (wrk, 64 connections) and PostgreSQL the other; logins and workers have all cores, as have those they are compared with; two workers of gunicorn share the one core; 1,000 sessions of 100 users in turn'
    : 'servers, load (wrk, 64 connections) and PostgreSQL share all cores; 1,000 sessions of 100 users in turn',
  rounds: 5,
  expectedSeconds: 720,
  parts: WORKS.map(({ name }) => name),
  run: async (rounds, scope, parts) => {
    const works = WORKS.filter(({ name }) => parts.length === 0 || parts.includes(name));
    const stage = await openSpeedStage(scope);
    const results = new Map<string, LaneResult[]>();
    for (const work of works) results.set(work.name, await inTurns(work, rounds, stage, scope));
    const done = works.map((work) => ({ work, lanes: results.get(work.name) ?? [] }));
    return outcomeOf(done, [...judged(results), ...(await countedQueries(works, stage))], stage);
  },
};

async function inTurns(
  work: Work,
  rounds: number,
  stage: Stage,
  scope: Scope,
): Promise<LaneResult[]> {
  const own = createScope();
  scope.onClose(own.close);
  const lanes = await work.open(stage, own);
  const progress = startProgress(work.name, lanes.length * (rounds + 1));
  let runs = 0;
  const onRun = (): void => progress.advanceTo((runs += 1));
  const results = await inRounds(lanes, { rounds, seconds: work.seconds, onRun });
  progress.stop();
  await own.close();
  return results;
}

async function countedQueries(works: readonly Work[], stage: Stage): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const work of works) {
    const count = await queriesPerRequest(work, stage);
    if (count !== undefined)
      findings.push({ what: `queries a request: ${work.name}`, value: String(count) });
  }
  return findings;
}

function outcomeOf(
  done: readonly { work: Work; lanes: LaneResult[] }[],
  findings: Finding[],
  stage: Stage,
): Outcome {
  const missing = stage.missing();
  const skippedWorks = done.filter(({ lanes }) => lanes.length === 0).map(({ work }) => work.name);
  const measured = done.filter(({ lanes }) => lanes.length > 0);
  return {
    findings,
    tables: measured.map(({ work, lanes }) => tableOf(work, lanes)),
    notes: [
      ...(missing.length > 0
        ? [`Skipped, not installed here (\`npm run setup:bench\`): ${missing.join('; ')}.`]
        : []),
      ...(skippedWorks.length > 0 ? [`Skipped: ${skippedWorks.join(', ')}.`] : []),
    ],
    chart: {
      title: 'Requests a second, Latchkey and others in one run',
      note: 'medians; the lines reach from the slowest round to the fastest',
      panels: measured.map(({ work, lanes }) => ({
        title: work.title,
        unit: 'requests/s',
        bars: barsOf(lanes.filter(({ label }) => label !== PAGES_BESIDE)),
      })),
    },
  };
}
