import { newSigningKey } from '../../src/secrets.ts';
import { isThere, PLACES, PROFILES, startCanary } from '../support/attacks.ts';
import type { Verdict } from '../support/attacks.ts';
import { LIMIT_MS, playRounds } from './attack-rounds.ts';
import type { Tally, Target } from './attack-rounds.ts';
import { createCpuMeter } from './cpu-time.ts';
import { atLeast, below, exactly, measured, percentile } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { startPostgres } from './postgres.ts';
import { createScope } from './scope.ts';
import type { Scope } from './scope.ts';
import { openDatabase, startReplicas } from './service.ts';
import type { Settings } from './service.ts';

// Every hostile token of the data that test/attacks.test.ts plays, and its controls, in the Authorization header,
// at /verify_token/, /refresh_token/ and /blacklist_token/, against a server process for each of HS256, RS256 and
// ES256. One request at a time, so that the CPU time which the process has used between two readings is that of
// the one: all of its threads, from the socket to the answer, and the reading itself, which is given too. It does
// not hold PostgreSQL's own, which those tokens cost that are rightly signed. A refusal that takes too long is
// repeated twice, and the least of the three counts. The first round warms the process up; its answers are judged
// as all others.

export const attacks: Figure = {
  name: 'attacks',
  summary: 'No hostile token is accepted, no good one refused, and a refusal costs little',
  conditions: 'one server process for each algorithm, one request at a time',
  rounds: 10,
  expectedSeconds: 120,
  run: async (rounds, scope) => {
    if (!isThere)
      return [{ what: 'not measured: the data is not beside the repository', value: 'skipped' }];
    const url = await startPostgres(scope);
    const canary = await startCanary();
    scope.onClose(canary.stop);
    const tallies: Tally[] = [];
    for (const [ALGORITHM, named] of PROFILES) {
      const turn = createScope();
      scope.onClose(turn.close);
      const SIGNING_KEY = newSigningKey(ALGORITHM);
      const settings = { ...named, ALGORITHM, SIGNING_KEY };
      const target = await openTarget(url, settings, turn);
      tallies.push(await playRounds(rounds, { ...target, canaryUrl: canary.url }));
      await turn.close();
    }
    return findingsOf(tallies, { rounds, visits: canary.visits() });
  },
};

async function openTarget(
  url: string,
  settings: Settings,
  scope: Scope,
): Promise<Omit<Target, 'canaryUrl'>> {
  const deps = await openDatabase(url, settings, scope);
  const meter = await createCpuMeter();
  const [replica] = await startReplicas([url], { ...settings, ...meter.settings }, scope);
  if (!replica) throw new Error('there is no replica');
  return { deps, origin: replica.origin, readCpu: await meter.connect(scope) };
}

function findingsOf(
  tallies: Tally[],
  { rounds, visits }: { rounds: number; visits: number },
): Finding[] {
  const sum = (count: (tally: Tally) => number): number =>
    tallies.reduce((total, tally) => total + count(tally), 0);
  const verdicts = (verdict: Verdict): number => sum((tally) => tally.verdicts[verdict]);
  // A header carries three fewer.
  const perRound = PROFILES.reduce((total, [, , least]) => total + least * PLACES.length - 3, 0);
  return [
    atLeast('tokens shown', sum(countShown), perRound * (rounds + 1)),
    exactly('hostile tokens accepted', verdicts('accepted wrongly'), 0),
    exactly('good tokens refused', verdicts('refused wrongly'), 0),
    measured('JWT-248 at /verify_token/, refused on purpose', verdicts('stricter')),
    exactly('refusals of another form than due', verdicts('refused in another form'), 0),
    exactly(
      '5xx',
      sum(({ serverErrors }) => serverErrors),
      0,
    ),
    exactly(
      'rows that a refused token left',
      sum(({ leftRows }) => leftRows),
      0,
    ),
    exactly('connections to a URL out of a token', visits, 0),
    ...tallies.flatMap(costsOf),
  ];
}

const countShown = ({ verdicts }: Tally): number =>
  Object.values(verdicts).reduce((total, count) => total + count, 0);

function costsOf({ algorithm, refusals, acceptances, readings, repeated }: Tally): Finding[] {
  const all = [...refusals.values()].flat();
  const medians = [...refusals].map(([name, times]) => ({ name, ms: percentile(times, 0.5) }));
  const slowest = medians.reduce((one, other) => (other.ms > one.ms ? other : one));
  return [
    measured(`${algorithm}: CPU time of a refusal, p50`, percentile(all, 0.5), 'ms'),
    measured(`${algorithm}: the same, p99`, percentile(all, 0.99), 'ms'),
    below(`${algorithm}: the same, longest`, percentile(all, 1), LIMIT_MS, 'ms'),
    measured(`${algorithm}: repeated for this`, repeated),
    measured(`${algorithm}: p50 of the slowest case, ${slowest.name}`, slowest.ms, 'ms'),
    measured(`${algorithm}: CPU time of an acceptance, p50`, percentile(acceptances, 0.5), 'ms'),
    measured(`${algorithm}: of each, to read it, p50`, percentile(readings, 0.5), 'ms'),
  ];
}
