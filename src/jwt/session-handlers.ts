import type { Handler } from '../contract.ts';
import * as sessions from './sessions.ts';

export const listSessions: Handler<'listSessions'> = async (
  { user, sessionId, query: { cursor, page_size }, url },
  deps,
) => ({
  status: 200,
  body: await sessions.listSessionsOf(user, sessionId, { cursor, page_size, url }, deps),
});

export const revokeAllSessions: Handler<'revokeAllSessions'> = async (
  { user, sessionId, body },
  deps,
) => {
  const keep = body.keep_current ? sessionId : undefined;
  return { status: 200, body: { revoked: await sessions.endAllSessions(user, { keep }, deps) } };
};

export const endSession: Handler<'endSession'> = async ({ params, user }, deps) => {
  await sessions.endSession(params.id, user, deps);
  return { status: 204 };
};
