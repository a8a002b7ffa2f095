import { refresh } from './http-client.ts';
import type { Answer } from './http-client.ts';
import type { Replica, Settings } from './service.ts';
import { claimsOf, successorIn } from './sessions.ts';
import type { Session } from './sessions.ts';
import { inTurn } from './turns.ts';

export const USES = 51;

export interface Rule {
  label: string;
  settings: Settings;
  /** How many of the uses are answered with a successor. */
  served: number;
  revoked: 'reuse' | null;
}

export interface Tally {
  notOneSuccessor: number;
  wrongStatuses: number;
  serverErrors: number;
  wrongAfterwards: number;
  /** Of each round: how many uses had been sent when the first answer came. */
  sentFirst: number[];
  racingMs: number;
}

/** What the answers of a round say that the family's row has to be. */
export interface Expected {
  familyId: string;
  generation: number;
  jti: string | undefined;
}

export async function race(
  { familyId, refresh: token }: Session,
  rule: Rule,
  replicas: Replica[],
  tally: Tally,
): Promise<Expected> {
  const answers = await useAtOnce(token, replicas, tally);
  const withStatus = (from: number, to = from): number =>
    answers.filter(({ status }) => status >= from && status <= to).length;
  tally.serverErrors += withStatus(500, 599);
  if (withStatus(200) !== rule.served || withStatus(401) !== USES - rule.served)
    tally.wrongStatuses += 1;
  const successors = new Map(
    answers
      .map(successorIn)
      .filter((successor) => successor !== undefined)
      .map((successor) => [claimsOf(successor).jti, successor]),
  );
  if (successors.size !== 1) tally.notOneSuccessor += 1;

  const [[jti, successor] = []] = successors;
  if (successor === undefined) return { familyId, generation: 1, jti };
  const next = await refresh(inTurn(replicas, tally.sentFirst.length).origin, successor);
  if (next.status !== (rule.revoked === null ? 200 : 401)) tally.wrongAfterwards += 1;
  const after = successorIn(next);
  if (after === undefined) return { familyId, generation: 1, jti };
  return { familyId, generation: 2, jti: claimsOf(after).jti };
}

async function useAtOnce(token: string, replicas: Replica[], tally: Tally): Promise<Answer[]> {
  let sent = 0;
  let sentFirst: number | undefined;
  const use = async (index: number): Promise<Answer> => {
    const { origin } = inTurn(replicas, index);
    const answer = await refresh(origin, token, { onSent: () => (sent += 1) }).catch(noAnswer);
    sentFirst ??= sent;
    return answer;
  };
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: USES }, (_, index) => use(index)));
  tally.racingMs += performance.now() - start;
  tally.sentFirst.push(sentFirst ?? 0);
  return answers;
}

// As bad as a 5xx.
const noAnswer = (): Answer => ({ status: 599, headers: {}, body: {} });
