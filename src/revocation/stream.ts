import type { Logger } from 'pino';
import type { Channel, OpenChannel } from '../channel.ts';
import type { Memory, Revocation } from './memory.ts';

/** The revocations of all replicas as they are committed, brought into `memory`. */
export interface Stream {
  /** Whether memory can be believed: there was news within the last three seconds. */
  isFresh: () => boolean;
  /** Resolves when all that was committed before the call is in memory, or the attempt has failed. */
  catchUp: () => Promise<void>;
  /** Whether this replica is the one to do what one replica is to do; true until its connection ends. */
  tryToLead: () => Promise<boolean>;
  stop: () => Promise<void>;
}

const POLL_MS = 1000;
const RETRY_MS = 250;
const BELIEVED_MS = 3000;
// "latchkey" as a number: one lock among those of whoever else uses the database.
const LEADER_LOCK = '7809651199139603833';

interface Page {
  cursor: string;
  revocations: Revocation[] | null;
}

// The oldest transaction that still runs is where the next page begins: what commits late is in it.
const PAGE = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor,
  (SELECT json_agg(json_build_object('kind', kind, 'subject', subject) ORDER BY id) FROM revocation WHERE`;
const SINCE_CURSOR = `${PAGE} xid >= $1::text::xid8) AS revocations`;
const SINCE_SECONDS = `${PAGE} revoked_at > now() - make_interval(secs => $1)) AS revocations`;

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
  let cursor: string | undefined;
  let newsAt = -Infinity;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  async function connect(): Promise<Channel> {
    // Nothing is known of what happened since the last look: begin anew.
    cursor = undefined;
    memory.forget();
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
      void opened.close();
      throw new Error('the connection for revocations ended');
    }
    return opened;
  }

  function lose(): void {
    void channel?.close();
    channel = undefined;
    schedule(RETRY_MS);
  }

  async function look(): Promise<void> {
    // Counted from before the question: the answer may be older than its arrival.
    const askedAt = performance.now();
    channel ??= await connect();
    const [page] = await (cursor === undefined
      ? channel.query<Page>(SINCE_SECONDS, holdSeconds)
      : channel.query<Page>(SINCE_CURSOR, cursor));
    if (!page) throw new Error('SELECT without FROM returned no row');
    memory.apply(page.revocations ?? []);
    ({ cursor } = page);
    newsAt = askedAt;
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
    catchUp,
    tryToLead: async () => {
      const rows = await channel?.query<{ leads: boolean }>(
        'SELECT pg_try_advisory_lock($1::bigint) AS leads',
        LEADER_LOCK,
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
