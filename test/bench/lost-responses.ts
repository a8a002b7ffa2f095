import { startProgress } from '../../src/commands/progress.ts';
import type { Progress } from '../../src/commands/progress.ts';
import { exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { refresh } from './http-client.ts';
import type { Answer } from './http-client.ts';
import { ID_HEADER, LOSS_HEADER, startLosingProxy } from './losing-proxy.ts';
import type { LosingProxy, Loss } from './losing-proxy.ts';
import { startPostgres } from './postgres.ts';
import { openStage } from './service.ts';
import { claimsOf, createUsers, openSessions, readFamilies, successorIn } from './sessions.ts';
import type { FamilyState, Session } from './sessions.ts';

// A proxy between the clients and two processes waits for the whole answer to a refresh, which the server has
// committed by then, and breaks the client's connection instead of passing it on; of every other answer the
// first half arrives. The client does what real ones do: it sends the same token again, and the proxy asks the
// other process. Every third of these answers is lost as well, so that the token is sent a third time. The
// proxy keeps what it lost, so that the successor which arrived can be compared with the ones that did not.
// In the end the row of each family has to count one rotation for each round of its client.

const REPLICAS = 2;
const CLIENTS = 32;

export const lostResponses: Figure = {
  name: 'lost-responses',
  summary: 'A client that retries a refresh whose answer was lost stays logged in',
  conditions: `${CLIENTS} clients, a proxy that loses answers, ${REPLICAS} server processes, fsync on`,
  rounds: 10_000,
  expectedSeconds: 60,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const settings = { ROTATE_REFRESH_TOKENS: 'true' };
    const { deps, replicas } = await openStage(url, settings, { replicas: REPLICAS }, scope);
    const proxy = await startLosingProxy(
      replicas.map(({ origin }) => origin),
      scope,
    );
    const sessions = await openSessions(CLIENTS, await createUsers(CLIENTS, deps), deps);
    const tally: Tally = {
      begun: 0,
      lost: 0,
      loggedOut: 0,
      otherSuccessor: 0,
      unserved: 0,
      brokenUnasked: 0,
    };
    const progress = startProgress('Lost answers', rounds);
    const ends = await Promise.all(
      sessions.map((session) => refreshThroughLosses(session, rounds, { proxy, tally, progress })),
    );
    progress.stop();
    const families = await readFamilies(sessions, deps);
    const contradictions = ends.filter((end) => !isToldBy(families.get(end.familyId), end));
    return findingsOf(tally, rounds, contradictions.length);
  },
};

interface Tally {
  begun: number;
  lost: number;
  loggedOut: number;
  otherSuccessor: number;
  /** Lost answers that would not have been a success. */
  unserved: number;
  /** Connections that broke though nobody asked for it. */
  brokenUnasked: number;
}

interface Losing {
  proxy: LosingProxy;
  tally: Tally;
  progress: Progress;
}

/** What a client knows in the end. */
interface End {
  familyId: string;
  jti: string;
  rotations: number;
}

async function refreshThroughLosses(
  { familyId, refresh: first }: Session,
  rounds: number,
  losing: Losing,
): Promise<End> {
  const { tally, progress } = losing;
  let [token, rotations] = [first, 0];
  while (tally.begun < rounds) {
    const round = (tally.begun += 1);
    progress.advanceTo(round);
    const successor = await refreshOnce(token, round, losing);
    if (successor === undefined) {
      tally.loggedOut += 1;
      break;
    }
    rotations += 1;
    token = successor;
  }
  return { familyId, jti: claimsOf(token).jti, rotations };
}

/** The successor that arrives after one or two that did not; undefined if the client is refused. */
async function refreshOnce(
  token: string,
  round: number,
  { proxy, tally }: Pick<Losing, 'proxy' | 'tally'>,
): Promise<string | undefined> {
  const losses: Loss[] = round % 2 === 0 ? ['all'] : ['half'];
  if (round % 3 === 0) losses.push('all');
  const made = new Set<string | undefined>();
  for (const [attempt, loss] of losses.entries()) {
    made.add(await loseAnswer(token, loss, `${round}-${attempt}`, { proxy, tally }));
    tally.lost += 1;
  }
  const arrived = successorIn(await refreshUntilAnswered(token, { proxy, tally }));
  if (made.has(undefined)) tally.unserved += 1;
  if (arrived === undefined) return undefined;
  made.add(claimsOf(arrived).jti);
  if (made.size > 1) tally.otherSuccessor += 1;
  return arrived;
}

/** A kept connection can be closed just as it is used again: a client asks once more then, and so does this one. */
async function refreshUntilAnswered(
  token: string,
  { proxy, tally }: Pick<Losing, 'proxy' | 'tally'>,
): Promise<Answer> {
  for (;;) {
    const answer = await refresh(proxy.origin, token).catch(() => undefined);
    if (answer) return answer;
    tally.brokenUnasked += 1;
  }
}

/** Uses a token without hearing of it; the jti of the successor that the lost answer held. */
async function loseAnswer(
  token: string,
  loss: Loss,
  id: string,
  { proxy: { origin, lost }, tally }: Pick<Losing, 'proxy' | 'tally'>,
): Promise<string | undefined> {
  const headers = { [LOSS_HEADER]: loss, [ID_HEADER]: id };
  const heard = await refresh(origin, token, { headers }).catch(() => undefined);
  if (heard) throw new Error('the proxy lost nothing');
  const answer = lost.get(id);
  lost.delete(id);
  if (!answer) {
    tally.brokenUnasked += 1;
    return loseAnswer(token, loss, id, { proxy: { origin, lost }, tally });
  }
  if (answer.status !== 200) return undefined;
  const successor = successorIn({ status: 200, headers: {}, body: JSON.parse(answer.text) });
  return successor && claimsOf(successor).jti;
}

function isToldBy(family: FamilyState | undefined, { jti, rotations }: End): boolean {
  return (
    family?.current_jti === jti && family.generation === rotations && family.revoked_reason === null
  );
}

function findingsOf(tally: Tally, rounds: number, contradictions: number): Finding[] {
  return [
    exactly('clients logged out', tally.loggedOut, 0),
    exactly('retries given another successor than the lost one', tally.otherSuccessor, 0),
    exactly('lost answers without a successor', tally.unserved, 0),
    exactly('families that tell otherwise', contradictions, 0),
    exactly('refreshes whose answer was lost', tally.begun, rounds),
    measured('answers lost', tally.lost),
    measured('connections that broke unasked, and were asked again', tally.brokenUnasked),
  ];
}
