import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import type { DatabaseProxy } from './database-proxy.ts';
import { below, exactly, measured } from './figure.ts';
import type { Finding } from './figure.ts';
import { send } from './http-client.ts';
import type { Replica } from './service.ts';
import { createUsers, endSession, openSession } from './sessions.ts';
import type { Session } from './sessions.ts';
import { inTurn } from './turns.ts';

// B loses its database in one of three ways; a session is ended on A while B is parted; B is asked with the
// access token of that session, and with one of a session that goes on, many times a second, from before the
// partition until B has recovered. `GET /` asks the database for nothing but to authenticate, so what decides
// is what B knows of revocations. From 3 s after A's answer B must not take the ended token, and it must never
// refuse the other one: what B cannot know is a 503 with Retry-After.

const BOUND_MS = 3000;
const WATCH_BEYOND_MS = 2000;
const PROBE_EVERY_MS = 25;
const UNTIL_REVOKED_MS = 1500;
const RECOVERY_MS = 5000;
const GIVE_UP_MS = 15_000;

interface Kind {
  label: string;
  begin: (proxy: DatabaseProxy) => void;
  /** Whether the way to the database stays shut for new connections. */
  isWhole: boolean;
}

const KINDS: readonly Kind[] = [
  { label: 'cut', begin: ({ cut }) => cut(), isWhole: true },
  { label: 'frozen', begin: ({ freeze }) => freeze(), isWhole: true },
  {
    label: 'frozen where established',
    begin: ({ freezeEstablished }) => freezeEstablished(),
    isWhole: false,
  },
];

export interface Parting {
  near: Replica;
  /** Its database is behind the proxy. */
  parted: Replica;
  proxy: DatabaseProxy;
  deps: RequestDeps;
}

/** An answer to the access token of `session`; times of this process' clock. */
interface Probe {
  session: Session;
  sentAt: number;
  receivedAt: number;
  /** 0: no answer. */
  status: number;
  hasRetryAfter: boolean;
}

export async function measurePartitions(count: number, parting: Parting): Promise<Finding[]> {
  const findings: Finding[] = [];
  const progress = startProgress('Partitions', count * KINDS.length);
  for (const [index, kind] of KINDS.entries()) {
    const rounds: Round[] = [];
    for (let round = 0; round < count; round += 1) {
      rounds.push(await part(kind, parting));
      progress.advanceTo(index * count + round + 1);
    }
    findings.push(...findingsOf(kind, rounds));
  }
  progress.stop();
  return findings;
}

interface Round {
  probes: Probe[];
  ended: Session;
  endedAt: number;
  healedAt: number;
  /** Milliseconds; undefined if it had not recovered when we gave up. */
  recovery: number | undefined;
}

async function part(kind: Kind, { near, parted, proxy, deps }: Parting): Promise<Round> {
  const users = await createUsers(2, deps);
  const ended = await openSession(inTurn(users, 0), deps);
  const other = await openSession(inTurn(users, 1), deps);
  const watch = watchSessions([ended, other], parted);
  await watch.until(({ status }) => status === 200, [ended, other], performance.now());

  kind.begin(proxy);
  await pause(Math.random() * UNTIL_REVOKED_MS);
  const { status } = await endSession(ended, near);
  if (status !== 200) throw new Error('A did not end the session');
  const endedAt = performance.now();
  await pause(BOUND_MS + WATCH_BEYOND_MS);

  await proxy.restore();
  const healedAt = performance.now();
  const isBack = await watch.until(
    (probe) => probe.status === (probe.session === ended ? 401 : 200),
    [ended, other],
    healedAt,
  );
  const recovery = isBack ? performance.now() - healedAt : undefined;
  return { probes: await watch.end(), ended, endedAt, healedAt, recovery };
}

interface Watch {
  /** Whether each session had an answer like this to a request sent after `since`, before we gave up. */
  until: (isDue: (probe: Probe) => boolean, sessions: Session[], since: number) => Promise<boolean>;
  end: () => Promise<Probe[]>;
}

/** Asks with each session at a steady pace, whether or not the answers come. */
function watchSessions(sessions: Session[], { origin }: Replica): Watch {
  const probes: Probe[] = [];
  const pending = new Set<Promise<void>>();
  const probe = async (session: Session): Promise<void> => {
    const sentAt = performance.now();
    const answer = await send(origin, '/', { bearer: session.access }).catch(() => undefined);
    probes.push({
      session,
      sentAt,
      receivedAt: performance.now(),
      status: answer?.status ?? 0,
      hasRetryAfter: answer?.headers['retry-after'] !== undefined,
    });
  };
  const timer = setInterval(() => {
    for (const session of sessions) {
      const one = probe(session).finally(() => pending.delete(one));
      pending.add(one);
    }
  }, PROBE_EVERY_MS);
  return {
    until: async (isDue, wanted, since) => {
      const deadline = performance.now() + GIVE_UP_MS;
      const isSeen = (session: Session): boolean =>
        probes.some((one) => one.session === session && one.sentAt >= since && isDue(one));
      while (!wanted.every(isSeen)) {
        if (performance.now() > deadline) return false;
        await pause(PROBE_EVERY_MS);
      }
      return true;
    },
    end: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      return probes;
    },
  };
}

function findingsOf({ label, isWhole }: Kind, rounds: Round[]): Finding[] {
  const count = (isSuch: (probe: Probe, round: Round) => boolean): number =>
    rounds.reduce((sum, round) => sum + round.probes.filter((one) => isSuch(one, round)).length, 0);
  const took = (probe: Probe, { ended }: Round): boolean =>
    probe.session === ended && probe.status === 200;
  const lastTaken = rounds.flatMap((round) =>
    round.probes
      .filter((probe) => took(probe, round))
      .map(({ receivedAt }) => receivedAt - round.endedAt),
  );
  const parted = rounds.filter(({ probes, endedAt, healedAt }) =>
    probes.some((one) => one.status === 503 && one.sentAt > endedAt && one.sentAt < healedAt),
  ).length;
  const recoveries = rounds.map(({ recovery }) => recovery ?? Number.POSITIVE_INFINITY);
  return [
    exactly(
      `${label}: ended token taken beyond ${BOUND_MS / 1000} s`,
      count((probe, round) => took(probe, round) && probe.sentAt > round.endedAt + BOUND_MS),
      0,
    ),
    measured(`${label}: last taken after the end`, Math.max(0, ...lastTaken), 'ms'),
    exactly(
      `${label}: other token refused`,
      count(({ session, status }, { ended }) => session !== ended && status === 401),
      0,
    ),
    // Where new connections work, B may go on without a gap.
    isWhole
      ? exactly(`${label}: partitions in which B says 503`, parted, rounds.length)
      : measured(`${label}: partitions in which B says 503`, parted),
    exactly(
      `${label}: 503 without Retry-After`,
      count(({ status, hasRetryAfter }) => status === 503 && !hasRetryAfter),
      0,
    ),
    exactly(
      `${label}: other answers, or none`,
      count(({ status }) => ![200, 401, 503].includes(status)),
      0,
    ),
    below(`${label}: longest recovery`, Math.max(...recoveries), RECOVERY_MS, 'ms'),
  ];
}
