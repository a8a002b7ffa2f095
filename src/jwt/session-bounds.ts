import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';

/** What a session has to be younger than, so that it lives. */
export interface SessionBounds {
  now: Date;
  startedAfter: Date | typeof EVER;
  usedAfter: Date | typeof EVER;
}

// PostgreSQL's, for a timestamp that is before all others.
export const EVER = '-infinity';

/** In SQL, for a row `f` of token_family. */
export const IS_WITHIN_BOUNDS = `f.created_at > :startedAfter AND coalesce(f.last_used_at, f.created_at) > :usedAfter`;

/** SESSION_LIFETIME counts from the login, SESSION_IDLE_LIFETIME from the last use. */
export function sessionBounds({ config, now: clock }: Pick<Deps, 'config' | 'now'>): SessionBounds {
  const now = clock();
  const ago = (seconds: number): Date | typeof EVER =>
    seconds > 0 ? new Date(now.getTime() - seconds * 1000) : EVER;
  return {
    now,
    startedAfter: ago(config.SESSION_LIFETIME),
    usedAfter: ago(config.SESSION_IDLE_LIFETIME),
  };
}

/** What is left of a token's life where its session begins now, in seconds. */
export function withinSession(lifetime: number, { SESSION_LIFETIME }: Config): number {
  return SESSION_LIFETIME > 0 ? Math.min(lifetime, SESSION_LIFETIME) : lifetime;
}
