import { startProgress } from '../../src/commands/progress.ts';
import { startDatabaseProxy } from './database-proxy.ts';
import { below, exactly, measured, percentile } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { send } from './http-client.ts';
import type { Answer } from './http-client.ts';
import { measurePartitions } from './partitions.ts';
import { startPostgres } from './postgres.ts';
import { openDatabase, openStage, startReplicas } from './service.ts';
import type { Replica, Stage } from './service.ts';
import { createScope } from './scope.ts';
import { createUsers, endSession, openSession, readFamilies } from './sessions.ts';
import type { Session } from './sessions.ts';
import { inTurn } from './turns.ts';

// An access token is taken by process B; its session is ended on process A; from A's answer on B is asked again
// and again until it refuses. The latency ends with the arrival of that refusal, so it holds a whole request
// more than the news takes. The three processes take turns as A and B; a few rounds before the first one that
// counts warm them up. The second half, in partitions.ts, parts B from the database while the session is ended.

const REPLICAS = 3;
const USERS = 100;
const ROUNDS_PER_PARTITION = 2000;
const WARM_UP_ROUNDS = 60;
const GIVE_UP_MS = 2000;
// Where revocations don't arrive at all, a few of them tell as much as all.
const ENOUGH_LOST = 5;

export const revocation: Figure = {
  name: 'revocation',
  summary: 'An access token dies on all processes when its session is ended on one',
  conditions:
    `${REPLICAS} server processes, fsync on; of each kind of partition one for ` +
    `${ROUNDS_PER_PARTITION.toLocaleString('en')} rounds`,
  rounds: 10_000,
  expectedSeconds: 240,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const turn = createScope();
    scope.onClose(turn.close);
    const stage = await openStage(url, {}, { replicas: REPLICAS }, turn);
    const latencies = await measureLatencies(rounds, stage);
    await turn.close();

    const proxy = await startDatabaseProxy(url, scope);
    const deps = await openDatabase(url, {}, scope);
    const [near, parted] = await startReplicas([url, proxy.url], {}, scope);
    if (!near || !parted) throw new Error('two replicas were started');
    const partitions = Math.ceil(rounds / ROUNDS_PER_PARTITION);
    return [...latencies, ...(await measurePartitions(partitions, { near, parted, proxy, deps }))];
  },
};

interface Tally {
  /** Milliseconds from the answer of the one to the first refusal of the other. */
  latencies: number[];
  refusedTooEarly: number;
  notEnded: number;
  neverRefused: number;
  acceptedMeanwhile: number;
  unavailable: number;
}

const emptyTally = (): Tally => ({
  latencies: [],
  refusedTooEarly: 0,
  notEnded: 0,
  neverRefused: 0,
  acceptedMeanwhile: 0,
  unavailable: 0,
});

async function measureLatencies(rounds: number, { deps, replicas }: Stage): Promise<Finding[]> {
  const users = await createUsers(USERS, deps);
  const ended: Session[] = [];
  const warmUp = emptyTally();
  for (let round = 0; round < WARM_UP_ROUNDS && warmUp.neverRefused === 0; round += 1) {
    const session = await openSession(inTurn(users, round), deps);
    await revokeOnce(session, inTurn(replicas, round), inTurn(replicas, round + 1), warmUp);
  }
  const tally = emptyTally();
  const progress = startProgress('Revocations', rounds);
  for (let round = 0; round < rounds && tally.neverRefused < ENOUGH_LOST; round += 1) {
    const session = await openSession(inTurn(users, round), deps);
    await revokeOnce(session, inTurn(replicas, round), inTurn(replicas, round + 1), tally);
    ended.push(session);
    progress.advanceTo(round + 1);
  }
  progress.stop();
  const families = await readFamilies(ended, deps);
  const alive = ended.filter(
    ({ familyId }) => families.get(familyId)?.revoked_reason !== 'blacklist',
  );
  return findingsOf(rounds, tally, alive.length);
}

async function revokeOnce(
  session: Session,
  near: Replica,
  far: Replica,
  tally: Tally,
): Promise<void> {
  if ((await useAccess(session, far)).status !== 200) tally.refusedTooEarly += 1;
  const { status } = await endSession(session, near);
  const endedAt = performance.now();
  if (status !== 200) tally.notEnded += 1;
  for (;;) {
    const answer = await useAccess(session, far);
    const latency = performance.now() - endedAt;
    if (answer.status === 401) {
      tally.latencies.push(latency);
      return;
    }
    if (answer.status === 200) tally.acceptedMeanwhile += 1;
    else tally.unavailable += 1;
    if (latency > GIVE_UP_MS) {
      tally.neverRefused += 1;
      return;
    }
  }
}

const useAccess = ({ access }: Session, { origin }: Replica): Promise<Answer> =>
  send(origin, '/products/?page_size=1', { bearer: access });

function findingsOf(rounds: number, tally: Tally, alive: number): Finding[] {
  const { latencies } = tally;
  return [
    exactly('access tokens refused on B', latencies.length, rounds),
    below('from the answer of A to the refusal of B, p50', percentile(latencies, 0.5), 20, 'ms'),
    below('the same, p99', percentile(latencies, 0.99), 20, 'ms'),
    below('the same, longest', percentile(latencies, 1), 100, 'ms'),
    measured('accepted once more on B meanwhile', tally.acceptedMeanwhile),
    exactly('refused on B before the end', tally.refusedTooEarly, 0),
    exactly('ends refused by A, or without a trace in the database', tally.notEnded + alive, 0),
    exactly('other answers of B', tally.unavailable, 0),
  ];
}
