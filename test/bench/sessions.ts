import { randomUUID } from 'node:crypto';
import type { User } from '../../src/db.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { issueTokenPair } from '../../src/jwt/tokens.ts';
import { insertUser } from '../../src/users/repository.ts';
import { send } from './http-client.ts';
import type { Answer } from './http-client.ts';
import type { Replica } from './service.ts';
import { inTurn } from './turns.ts';

export interface Session {
  familyId: string;
  access: string;
  refresh: string;
}

/** Accounts without a usable password: nobody here waits for bcrypt. */
export function createUsers(count: number, { db }: RequestDeps): Promise<User[]> {
  const users = Array.from({ length: count }, () =>
    insertUser({ username: `bench-${randomUUID()}`, password: '!' }, db),
  );
  return Promise.all(users);
}

/** What `/login/` does once the password is verified. */
export async function openSession(user: User, deps: RequestDeps): Promise<Session> {
  const pair = await issueTokenPair(user, { ip: '127.0.0.1', userAgent: 'latchkey bench' }, deps);
  if (!pair) throw new Error('a user of the harness is gone');
  return { ...pair, familyId: claimsOf(pair.refresh).sid };
}

/** `count` sessions, in turn of the users. */
export function openSessions(count: number, users: User[], deps: RequestDeps): Promise<Session[]> {
  const sessions = Array.from({ length: count }, (_, index) =>
    openSession(inTurn(users, index), deps),
  );
  return Promise.all(sessions);
}

/** A logout, by the refresh token. */
export function endSession({ refresh }: Session, { origin }: Replica): Promise<Answer> {
  return send(origin, '/blacklist_token/', { method: 'POST', json: { refresh } });
}

interface TokenClaims {
  jti: string;
  sid: string;
}

export function claimsOf(token: string): TokenClaims {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()); // of our own making
}

/** The refresh token that an answer brings. */
export function successorIn({ status, body }: Answer): string | undefined {
  return status === 200 && typeof body.refresh === 'string' ? body.refresh : undefined;
}

/** The row of a family, as far as it tells who used it how. */
export interface FamilyState {
  id: string;
  generation: number;
  current_jti: string;
  revoked_reason: string | null;
}

export async function readFamilies(
  sessions: readonly Pick<Session, 'familyId'>[],
  { db }: RequestDeps,
): Promise<Map<string, FamilyState>> {
  const { rows } = await db.raw<{ rows: FamilyState[] }>(
    `SELECT id, generation, current_jti, revoked_reason FROM token_family WHERE id = ANY(?::uuid[])`,
    [sessions.map(({ familyId }) => familyId)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
