import { setTimeout as pause } from 'node:timers/promises';
import type { RequestDeps } from '../../src/deps.ts';
import { refresh } from './http-client.ts';
import type { Answer } from './http-client.ts';
import type { Replica } from './service.ts';
import { claimsOf, createUsers, openSessions, readFamilies, successorIn } from './sessions.ts';
import { inTurn } from './turns.ts';

const RETRY_MS = 10;

/** A client that does nothing wrong, and what it knows of its session. */
export interface Holder {
  familyId: string;
  token: string;
  jti: string;
  /** How many send each token at once. */
  tabs: number;
  /** Which replica is asked next. */
  turn: number;
  /** Rotations whose successor came back. */
  acknowledged: number;
  doubles: number;
  isRefused: boolean;
  interrupted: number;
  /** Interrupted, with the rotation in the database already. */
  committed: number;
  unavailable: number;
}

export interface Crowd {
  replicas: Replica[];
  deps: RequestDeps;
  /** The pause of each holder between two rotations, at most. */
  thinkMs: number;
  isOver: boolean;
}

export async function createHolders(count: number, deps: RequestDeps): Promise<Holder[]> {
  const sessions = await openSessions(count, await createUsers(count, deps), deps);
  return sessions.map(({ familyId, refresh: token }, index) => ({
    familyId,
    token,
    jti: claimsOf(token).jti,
    tabs: 1 + (index % 2),
    turn: index,
    acknowledged: 0,
    doubles: 0,
    isRefused: false,
    interrupted: 0,
    committed: 0,
    unavailable: 0,
  }));
}

/** Rotates until the crowd is over, or until it is refused. */
export async function refreshSteadily(holder: Holder, crowd: Crowd): Promise<void> {
  while (!crowd.isOver && !holder.isRefused) {
    await rotateOnce(holder, crowd);
    await pause(Math.random() * crowd.thinkMs);
  }
}

export async function lastUse(holder: Holder, crowd: Crowd): Promise<void> {
  if (!holder.isRefused) await rotateOnce(holder, crowd);
}

async function rotateOnce(holder: Holder, crowd: Crowd): Promise<void> {
  const uses = Array.from({ length: holder.tabs }, () => use(holder, crowd));
  const successors = (await Promise.all(uses)).map(successorIn);
  const told = successors.filter((successor) => successor !== undefined);
  const [token] = told;
  if (new Set(told.map((successor) => claimsOf(successor).jti)).size > 1) holder.doubles += 1;
  if (token === undefined || told.length < successors.length) {
    holder.isRefused = true;
    return;
  }
  holder.token = token;
  holder.jti = claimsOf(token).jti;
  holder.acknowledged += 1;
}

/** Asks one replica after the other until one answers other than with a 503. */
async function use(holder: Holder, { replicas, deps }: Crowd): Promise<Answer> {
  for (;;) {
    const { origin } = inTurn(replicas, (holder.turn += 1));
    try {
      const answer = await refresh(origin, holder.token);
      if (answer.status !== 503) return answer;
      holder.unavailable += 1;
    } catch (error) {
      const isDown = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
      if (!isDown) await noteInterruption(holder, deps);
    }
    await pause(RETRY_MS);
  }
}

async function noteInterruption(holder: Holder, deps: RequestDeps): Promise<void> {
  holder.interrupted += 1;
  // The other tab may have rotated it, so these tell nothing.
  if (holder.tabs > 1) return;
  const row = (await readFamilies([holder], deps)).get(holder.familyId);
  if (row?.current_jti !== holder.jti) holder.committed += 1;
}
