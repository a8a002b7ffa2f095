import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { startDatabaseProxy } from './database-proxy.ts';
import { exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { refresh, send } from './http-client.ts';
import { startPostgres } from './postgres.ts';
import { openDatabase, startReplicas } from './service.ts';
import type { Replica } from './service.ts';
import { createUsers, openSessions } from './sessions.ts';
import type { Session } from './sessions.ts';
import { countStatements } from './statements.ts';
import type { StatementCounts } from './statements.ts';
import { inTurn } from './turns.ts';

// A proxy between one process and its database reads the PostgreSQL protocol and counts every statement that is
// executed. First nobody asks anything: what the process sends then, it sends by itself, and is told apart, per
// second. Then each of 100 users is seen for the first time, and then come the requests that are counted:
// `GET /` with the access tokens of these users, which needs no database for anything but to authenticate. Every
// answer has to be a 200, and a refresh in the end has to show up, so that a proxy which counts nothing fails.

const USERS = 100;
const LANES = 16;
const IDLE_MS = 10_000;
const LONGEST = 60;

export const queries: Figure = {
  name: 'queries',
  summary: 'A request with a JWT is authenticated without asking the database',
  conditions: `GET / with access tokens of ${USERS} users, one server process behind a counting proxy`,
  rounds: 10_000,
  expectedSeconds: 30,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const counts: StatementCounts = new Map();
    const proxy = await startDatabaseProxy(url, scope, () => countStatements(counts));
    const deps = await openDatabase(url, {}, scope);
    const [replica] = await startReplicas([proxy.url], {}, scope);
    if (!replica) throw new Error('there is no replica');
    const sessions = await openSessions(USERS, await createUsers(USERS, deps), deps);

    const asked = (requests: number): Promise<Asked> =>
      countDuring(counts, () => ask(requests, sessions, replica));

    // What a start does is done by then.
    await pause(2000);
    const idle = await countDuring(counts, () => pause(IDLE_MS));
    const firstUses = await asked(USERS);
    const steady = await asked(rounds);
    const control = await countDuring(counts, () =>
      refresh(replica.origin, inTurn(sessions, 0).refresh),
    );
    return findingsOf(rounds, { idle: idle.counts, firstUses, steady, control: control.counts });
  },
};

interface Counted<Result> {
  result: Result;
  counts: StatementCounts;
}

/** The result is how many answers were not a 200. */
type Asked = Counted<number>;

async function countDuring<Result>(
  counts: StatementCounts,
  act: () => Promise<Result>,
): Promise<Counted<Result>> {
  counts.clear();
  const result = await act();
  return { result, counts: new Map(counts) };
}

async function ask(requests: number, sessions: Session[], { origin }: Replica): Promise<number> {
  const progress = startProgress('Requests', requests);
  let [asked, refused] = [0, 0];
  const lane = async (): Promise<void> => {
    while (asked < requests) {
      const { access } = inTurn(sessions, (asked += 1));
      const { status } = await send(origin, '/', { bearer: access });
      if (status !== 200) refused += 1;
      progress.advanceTo(asked);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  progress.stop();
  return refused;
}

function findingsOf(
  rounds: number,
  {
    idle,
    firstUses,
    steady,
    control,
  }: { idle: StatementCounts; firstUses: Asked; steady: Asked; control: StatementCounts },
): Finding[] {
  const caused = (counts: StatementCounts): [string, number][] =>
    [...counts].filter(([text]) => !idle.has(text));
  const total = (counts: StatementCounts): number =>
    caused(counts).reduce((sum, [, count]) => sum + count, 0);
  return [
    exactly('queries per request', total(steady.counts) / rounds, 0),
    ...caused(steady.counts).map(([text, count]) =>
      measured(`of these ${shortened(text)}`, count / rounds),
    ),
    exactly('answers other than 200', firstUses.result + steady.result, 0),
    exactly('a refresh was seen to query', Math.min(1, total(control)), 1),
    measured('queries at the first use of a user', total(firstUses.counts) / USERS),
    ...[...idle].map(([text, count]) =>
      measured(`of its own accord: ${shortened(text)}`, count / (IDLE_MS / 1000), '/s'),
    ),
  ];
}

function shortened(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
  return `\`${line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line}\``;
}
