import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { OperationResponse, PageUrl } from '../contract.ts';
import { decodeCursor, invalidCursor, pageLink } from '../cursor.ts';
import type { Cursor } from '../cursor.ts';
import type { Account, User } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { NotFound } from '../errors.ts';
import { endAllTokens, endForeignTokens } from '../users/repository.ts';
import { toDate } from './claims.ts';
import type { TokenTimes } from './claims.ts';
import { startFamily } from './repository.ts';
import type { ClientInfo } from './repository.ts';
import { sessionBounds } from './session-bounds.ts';
import type { SessionBounds } from './session-bounds.ts';
import {
  countSessions,
  endOtherSessions,
  endSessionOf,
  selectSessions,
} from './sessions-repository.ts';
import type { Session } from './sessions-repository.ts';

type SessionPage = Extract<OperationResponse<'listSessions'>, { status: 200 }>['body'];

interface PageRequest {
  cursor: string | undefined;
  page_size: number | undefined;
  url: PageUrl;
}

/**
 * Opens a session for a user whose password was just verified; its id. Undefined if the account changed since:
 * another password, or deactivated.
 */
export async function openSession(
  { id: userId, password, token_version: tokenVersion }: User,
  { jti, exp }: Pick<TokenTimes, 'jti' | 'exp'>,
  client: ClientInfo,
  { config, db, now: clock }: RequestDeps,
): Promise<string | undefined> {
  const now = clock();
  const id = uuidv7({ msecs: now.getTime() });
  const { UPDATE_LAST_LOGIN: updateLastLogin } = config;
  const account = { userId, password, tokenVersion };
  const family = {
    id,
    jti,
    ...account,
    updateLastLogin,
    now,
    expiresAt: toDate(exp),
    client,
  };
  return (await startFamily(family, db)) ? id : undefined;
}

/** A page of the user's sessions, newest first: their ids are in the order of time (UUID v7). */
export async function listSessionsOf(
  user: Account,
  currentId: string | undefined,
  { cursor: text, page_size, url }: PageRequest,
  deps: RequestDeps,
): Promise<SessionPage> {
  const { after, reverse } = readCursor(text);
  const size = Math.min(page_size ?? deps.config.PAGE_SIZE, deps.config.MAX_PAGE_SIZE);
  const bounds = { ...liveBounds(deps), currentId };
  const position = { after, order: reverse ? 'asc' : 'desc' } as const;
  const found = await selectSessions(user, bounds, position, deps.db).limit(size + 1);
  const rows = found.slice(0, size);
  const onward = found.length > size ? pageLink(url, cursorAt(rows.at(-1), reverse)) : null;
  // Where nothing is left of a page, the way back leads to the end that the cursor came from.
  const back = after === undefined ? null : pageLink(url, cursorAt(rows[0], !reverse));
  return reverse
    ? { next: back, previous: onward, results: rows.toReversed() }
    : { next: onward, previous: back, results: rows };
}

interface Position {
  after: string | undefined;
  reverse: boolean;
}

function readCursor(text: string | undefined): Position {
  if (text === undefined) return { after: undefined, reverse: false };
  const { offset, reverse, positions, id } = decodeCursor(text);
  const [after] = positions;
  // An id is unique: no cursor of this list counts rows, or needs more than the id to name one.
  const isOurs = offset === 0 && id === undefined && (after === undefined || isUuid(after));
  if (!isOurs) throw invalidCursor();
  return { after, reverse };
}

function cursorAt(edge: Session | undefined, reverse: boolean): Cursor {
  return { offset: 0, reverse, positions: edge ? [edge.id] : [], id: undefined };
}

/** Throws NotFound unless the session is one of the user that has not been ended. */
export async function endSession(id: string, user: Account, deps: RequestDeps): Promise<void> {
  if (!isUuid(id)) throw new NotFound();
  if (!(await endSessionOf(user, { id, now: deps.now() }, deps.db))) throw new NotFound();
  await deps.live.catchUp();
}

/**
 * Ends all sessions of the user, but for the one to keep; how many live ones there were. What simplejwt issued
 * belongs to none, and ends as well.
 */
export async function endAllSessions(
  user: Account,
  { keep }: { keep: string | undefined },
  deps: RequestDeps,
): Promise<number> {
  const { db } = deps;
  const now = deps.now();
  const count = await countSessions(user, { ...liveBounds(deps), except: keep }, db);
  if (keep === undefined) {
    await endAllTokens({ id: user.id, now }, db);
  } else {
    await endForeignTokens({ id: user.id, now }, db);
    await endOtherSessions(user, { except: keep, now }, db);
  }
  await deps.live.catchUp();
  return count;
}

// Within LEEWAY an expired token still refreshes, so that its session is still alive.
function liveBounds(deps: RequestDeps): SessionBounds & { expiredBy: Date } {
  const bounds = sessionBounds(deps);
  return { ...bounds, expiredBy: new Date(bounds.now.getTime() - deps.config.LEEWAY * 1000) };
}
