import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { refresh } from './http-client.ts';
import { startPostgres } from './postgres.ts';
import { race, USES } from './race.ts';
import type { Expected, Rule, Tally } from './race.ts';
import { openStage } from './service.ts';
import type { Stage } from './service.ts';
import { createUsers, openSession, openSessions, readFamilies, successorIn } from './sessions.ts';
import type { Session } from './sessions.ts';
import { createScope } from './scope.ts';
import { inTurn } from './turns.ts';

// 51 concurrent uses of one refresh token, 17 to each of three processes, all sent before the first answer is
// back. Three rules take their rounds: without grace, where one use gets the successor and 50 a 401, and reuse
// either ends the family or is refused; and with the default grace, where all 51 get the same successor. After
// the race its successor is used once more (where reuse ends the family: is refused). In the end each family's
// row has to tell what the answers told: how many rotations, which token is current, and whether it was
// revoked. Then 51 independent clients rotate without a race, which gives the rate.

const REPLICAS = 3;
const USERS = 100;

const RULES: readonly Rule[] = [
  {
    label: 'no grace, reuse ends the family',
    settings: { REFRESH_GRACE: '0', REFRESH_REUSE: 'revoke_family' },
    served: 1,
    revoked: 'reuse',
  },
  {
    label: 'no grace, reuse is refused',
    settings: { REFRESH_GRACE: '0', REFRESH_REUSE: 'refuse' },
    served: 1,
    revoked: null,
  },
  {
    label: 'grace of 10 s',
    settings: { REFRESH_GRACE: '10s', REFRESH_REUSE: 'revoke_family' },
    served: USES,
    revoked: null,
  },
];

export const races: Figure = {
  name: 'races',
  summary: `${USES} concurrent uses of one refresh token make exactly one successor`,
  conditions: `for each rule; ${REPLICAS} server processes, fsync on`,
  rounds: 1000,
  expectedSeconds: 150,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const findings: Finding[] = [];
    for (const rule of RULES) {
      const turn = createScope();
      scope.onClose(turn.close);
      const settings = { ROTATE_REFRESH_TOKENS: 'true', ...rule.settings };
      const stage = await openStage(url, settings, { replicas: REPLICAS }, turn);
      findings.push(...(await runRounds(rounds, rule, stage)));
      if (rule === RULES.at(-1)) findings.push(await measureRate(Math.ceil(rounds / 5), stage));
      await turn.close();
    }
    return findings;
  },
};

async function runRounds(
  rounds: number,
  rule: Rule,
  { deps, replicas }: Stage,
): Promise<Finding[]> {
  const users = await createUsers(USERS, deps);
  const tally: Tally = {
    notOneSuccessor: 0,
    wrongStatuses: 0,
    serverErrors: 0,
    wrongAfterwards: 0,
    sentFirst: [],
    racingMs: 0,
  };
  const expected: Expected[] = [];
  const progress = startProgress(rule.label, rounds);
  for (let round = 0; round < rounds; round += 1) {
    const session = await openSession(inTurn(users, round), deps);
    expected.push(await race(session, rule, replicas, tally));
    progress.advanceTo(round + 1);
  }
  progress.stop();
  const contradictions = await countContradictions(expected, rule, deps);
  return findingsOf(rule, tally, { rounds, contradictions });
}

async function countContradictions(
  expected: Expected[],
  { revoked }: Rule,
  deps: RequestDeps,
): Promise<number> {
  const families = await readFamilies(expected, deps);
  return expected.filter(({ familyId, generation, jti }) => {
    const row = families.get(familyId);
    return (
      row?.generation !== generation || row.current_jti !== jti || row.revoked_reason !== revoked
    );
  }).length;
}

function findingsOf(
  { label, revoked }: Rule,
  tally: Tally,
  { rounds, contradictions }: { rounds: number; contradictions: number },
): Finding[] {
  const afterwards = revoked === null ? 'refused' : 'accepted';
  return [
    exactly(`${label}: rounds with exactly 1 successor`, rounds - tally.notOneSuccessor, rounds),
    exactly(`${label}: rounds with other statuses than due`, tally.wrongStatuses, 0),
    exactly(`${label}: 5xx or no answer`, tally.serverErrors, 0),
    exactly(`${label}: successors ${afterwards} afterwards`, tally.wrongAfterwards, 0),
    exactly(`${label}: families that tell otherwise`, contradictions, 0),
    measured(`${label}: sent before the first answer, at least`, Math.min(...tally.sentFirst)),
    measured(`${label}: uses`, (rounds * USES) / (tally.racingMs / 1000), '/s'),
  ];
}

async function measureRate(rounds: number, { deps, replicas }: Stage): Promise<Finding> {
  const sessions = await openSessions(USES, await createUsers(USES, deps), deps);
  const start = performance.now();
  const rotate = async ({ refresh: first }: Session, index: number): Promise<void> => {
    let token = first;
    for (let round = 0; round < rounds; round += 1) {
      const successor = successorIn(await refresh(inTurn(replicas, index + round).origin, token));
      if (successor === undefined) throw new Error('an unraced rotation was refused');
      token = successor;
    }
  };
  await Promise.all(sessions.map(rotate));
  const seconds = (performance.now() - start) / 1000;
  return measured(`rotations of ${USES} clients that do not race`, (USES * rounds) / seconds, '/s');
}
