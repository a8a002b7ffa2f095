import type { Logger } from 'pino';
import type { Channel, OpenChannel } from '../channel.ts';
import type { Memory, Revocation } from './memory.ts';

/** The revocations of all replicas as they are committed, brought into `memory`. */
export interface Stream {
  /** Whether memory can be believed: there was news within the last three seconds. */
  isFresh: () => boolean;
  /** Seconds since memory was last as the database. */
  lag: () => number;
  /** Resolves when all that was committed before the call is in memory, or that cannot be had within a second. */
  catchUp: () => Promise<void>;
  /** Whether this replica is the one to do what one replica is to do; true until its connection ends. */
  tryToLead: () => Promise<boolean>;
  stop: () => Promise<void>;
}

const POLL_MS = 1000;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
const BELIEVED_MS = 3000;
const PATIENCE_MS = 1000;
// "latchkey" as a number: one lock among those of whoever else uses the database.
const LEADER_LOCK = '7809651199139603833';

interface Page {
  snapshot: string;
  rows: (Revocation & { xid: string; id: string })[] | null;
}

const PAGE_ROWS = 5000;
// What was not visible to the snapshot of the last look is new, however early it began and however late it committed.
const PAGE = `SELECT pg_current_snapshot()::text AS snapshot, (
  SELECT json_agg(r) FROM (
    SELECT xid::text, id::text, kind, subject FROM revocation
    WHERE (xid, id) > ($1::text::xid8, $2::text::bigint)
      AND NOT pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
    ORDER BY revocation.xid, revocation.id LIMIT ${PAGE_ROWS}) AS r) AS rows`;
// A snapshot to which nothing is visible of what was noted since then.
const SNAPSHOT_AGO = `SELECT format('%1$s:%1$s:', coalesce(min(xid), pg_snapshot_xmin(pg_current_snapshot()))) AS snapshot
  FROM revocation WHERE revoked_at > now() - make_interval(secs => $1)`;

/**
 * Follows the revocations, from `holdSeconds` ago on. Notifications say when to look; without them it looks
 * every second, so that a lost one costs a second. Where it cannot look, it keeps trying.
 */
export async function followRevocations(
  openChannel: OpenChannel,
  memory: Memory,
  holdSeconds: number,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<Stream> {
  let channel: Channel | undefined;
  let snapshot: string | undefined;
  let newsAt = -Infinity;
  let retryMs = RETRY_MS;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  async function connect(): Promise<Channel> {
    let hasEnded = false;
    const opened = await openChannel({
      onNotify: () => void catchUp(),
      onEnd: () => {
        hasEnded = true;
        // Before it was opened, there is nothing to lose.
        if (channel !== undefined && channel === opened) lose();
      },
    });
    if (hasEnded || isStopped) {
      void opened.close().catch(() => undefined);
      throw new Error('the connection for revocations ended');
    }
    // Nothing is known of what happened since the last look: begin anew.
    snapshot = undefined;
    memory.forget();
    return opened;
  }

  async function snapshotAgo(opened: Channel): Promise<string> {
    const [row] = await opened.query<{ snapshot: string }>(SNAPSHOT_AGO, [holdSeconds]);
    if (!row) throw new Error('an aggregate returned no row');
    return row.snapshot;
  }

  function lose(): void {
    // What it has to say about its end is known already.
    void channel?.close().catch(() => undefined);
    channel = undefined;
    schedule(retryMs);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }

  async function look(): Promise<void> {
    // Counted from before the question: the answer may be older than its arrival.
    const askedAt = performance.now();
    channel ??= await connect();
    const seen = (snapshot ??= await snapshotAgo(channel));
    let position: [xid: string, id: string] = [xminOf(seen), '0'];
    for (let isFirst = true; ; isFirst = false) {
      const [page] = await channel.query<Page>(PAGE, [...position, seen]);
      const rows = page?.rows ?? [];
      memory.apply(rows);
      // Of the first page: what commits during the others is for the next look.
      if (isFirst && page) ({ snapshot } = page);
      const last = rows.at(-1);
      if (!last || rows.length < PAGE_ROWS) break;
      position = [last.xid, last.id];
    }
    newsAt = askedAt;
    retryMs = RETRY_MS;
  }

  let isInTrouble = false;
  async function lookAgain(): Promise<void> {
    try {
      await look();
      if (isInTrouble) log.info('revocations are followed again');
      isInTrouble = false;
      schedule(POLL_MS);
    } catch (error) {
      if (isStopped) return;
      if (!isInTrouble) log.error({ err: error }, 'revocations cannot be followed');
      isInTrouble = true;
      lose();
    }
  }

  function schedule(delay: number): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void catchUp(), delay).unref();
  }

  // One look at a time; who asks during one waits for the next, since theirs may be later than its snapshot.
  function catchUp(): Promise<void> {
    if (isStopped) return Promise.resolve();
    if (running) return (following ??= running.then(startLook));
    return startLook();
  }

  function startLook(): Promise<void> {
    following = undefined;
    running ??= lookAgain().finally(() => {
      running = undefined;
    });
    return running;
  }

  await lookAgain();

  return {
    isFresh: () => performance.now() - newsAt < BELIEVED_MS,
    lag: () => (performance.now() - newsAt) / 1000,
    catchUp: () => atMost(PATIENCE_MS, catchUp()),
    tryToLead: async () => {
      const rows = await channel?.query<{ leads: boolean }>(
        'SELECT pg_try_advisory_lock($1::bigint) AS leads',
        [LEADER_LOCK],
      );
      return rows?.[0]?.leads === true;
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
      await channel?.close();
    },
  };
}

const xminOf = (snapshot: string): string => snapshot.split(':', 1)[0] ?? '';

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
