import { listAuditEvents } from '../audit/trail.ts';
import type { AuditEvent } from '../audit/trail.ts';
import type { Deps } from '../deps.ts';
import { normalizeUsername } from '../users/usernames.ts';
import { layOut } from './table.ts';

export interface AuditOptions {
  user?: string;
  event?: string;
  /** Seconds back from now. */
  since?: number;
  limit: number;
  json?: boolean;
}

/** The audit trail, the newest first: as a table, or a JSON object a line. */
export async function listAudit(
  { user, event, since, limit, json = false }: AuditOptions,
  { db, now }: Deps,
): Promise<string> {
  const events = await listAuditEvents(
    {
      username: user === undefined ? undefined : normalizeUsername(user),
      event,
      since: since === undefined ? undefined : new Date(now().getTime() - since * 1000),
      limit,
    },
    db,
  );
  if (json) return events.map((one) => JSON.stringify(one)).join('\n');
  if (events.length === 0) return 'Nothing of that kind was noted.';
  return layOut([HEAD, ...events.map(cells)]);
}

const HEAD = ['TIME', 'EVENT', 'USER', 'SESSION', 'ADDRESS', 'REASON'];

const cells = (one: AuditEvent): string[] => [
  one.at.toISOString(),
  one.event,
  one.username ?? (one.user_id === null ? '-' : `#${one.user_id}`),
  one.session_id ?? '-',
  one.address ?? '-',
  one.reason ?? '-',
];
