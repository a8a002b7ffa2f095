import { below, skipped, times } from '../figure.ts';
import type { Finding } from '../figure.ts';
import { CONTENDERS } from './contenders.ts';
import { PAGES_BESIDE } from './login-work.ts';
import { PGBENCH } from './pgbench.ts';
import { BY_TOKEN } from './product-works.ts';
import { LATCHKEY } from './work.ts';
import type { LaneResult } from './rounds.ts';

/** The results of a work, by its name. */
export type Results = ReadonlyMap<string, readonly LaneResult[]>;

interface Goal {
  work: string;
  what: string;
  ours: string;
  /** Of several the one that is slower. */
  against: string[];
  least: number;
}

const { fastify, limit, drf, koa, http } = CONTENDERS;

const GOALS: readonly Goal[] = [
  goal('page', 'product page by JWT', fastify.label, 1.5),
  goal('page', 'product page by JWT', limit.label, 0.85),
  goal('page', 'product page by JWT', drf.label, 15),
  { ...goal('token', 'product page by Token', LATCHKEY, 0.95), ours: BY_TOKEN },
  goal('verify', 'verify', koa.label, 0.6),
  goal('verify', 'verify', drf.label, 6),
  {
    ...goal('rotation', 'refresh with rotation', PGBENCH, 0.7),
    against: [PGBENCH, http.label],
  },
  goal('rotation', 'refresh with rotation', drf.label, 3),
  goal('login', 'login', 'bare bcrypt.compare', 0.95),
  goal('create', 'create product', fastify.label, 1.3),
];

const PAGES_P99_MS = 25;

function goal(work: string, what: string, against: string, least: number): Goal {
  return { work, what, ours: LATCHKEY, against: [against], least };
}

/** Of the works that were done. */
export function judged(results: Results): Finding[] {
  const ratios = GOALS.flatMap((one) => {
    const lanes = results.get(one.work);
    return lanes ? [judge(one, lanes)] : [];
  });
  const beside = results.get('login')?.find(({ label }) => label === PAGES_BESIDE);
  if (!beside) return ratios;
  const worst = Math.max(...beside.samples.map(({ p99 = Infinity }) => p99));
  return [...ratios, below(`${PAGES_BESIDE}: p99, the worst round`, worst, PAGES_P99_MS, 'ms')];
}

function judge({ what, ours, against, least }: Goal, lanes: readonly LaneResult[]): Finding {
  const own = lanes.find(({ label }) => label === ours);
  const others = lanes.filter(({ label }) => against.includes(label));
  const name = `${what}, times ${against.join(' or ')}`;
  if (!own || others.length < against.length) return skipped(name, `≥ ${least}`);
  const ratios = own.samples.map(
    ({ rate }, round) =>
      rate / Math.min(...others.map(({ samples }) => samples[round]?.rate ?? NaN)),
  );
  return times(name, ratios, least);
}
