import type { Knex } from 'knex';
import { statement } from '../statement.ts';
import { isStorable } from '../text.ts';

/** A row of `audit_event`, with the name that the user has today. */
export interface AuditEvent {
  id: number;
  at: Date;
  event: string;
  user_id: number | null;
  username: string | null;
  session_id: string | null;
  /** An IPv6 address is cut to its first 64 bits. */
  address: string | null;
  reason: string | null;
}

/** Notes a login with a wrong password, or for a name that nobody has: one statement either way. */
export async function noteRefusedLogin(
  { username, ip }: { username: string; ip: string },
  db: Knex,
): Promise<void> {
  // What no row can hold is nobody's name.
  await insertRefusal({ username: isStorable(username) ? username : '', ip }, db);
}

const insertRefusal = statement<{ username: string; ip: string }, never>(
  'note refused login',
  `INSERT INTO audit_event (event, user_id, address)
   VALUES ('login_refused', (SELECT id FROM users WHERE username = :username), audit_address(:ip::inet))`,
);

export interface AuditFilter {
  username?: string | undefined;
  event?: string | undefined;
  since?: Date | undefined;
  limit: number;
}

/** The newest first. */
export async function listAuditEvents(
  { username, event, since, limit }: AuditFilter,
  db: Knex,
): Promise<AuditEvent[]> {
  const query = db('audit_event AS a').leftJoin('users AS u', 'u.id', 'a.user_id');
  if (username !== undefined) void query.where('u.username', username);
  if (event !== undefined) void query.where('a.event', event);
  if (since !== undefined) void query.where('a.at', '>=', since);
  return query.orderBy('a.id', 'desc').limit(limit).select('a.*', 'u.username');
}
