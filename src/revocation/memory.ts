import { LRUCache } from 'lru-cache';

/** What ended (see the migration `revocation`): a session, one JWT, or what is remembered of a token or user. */
export interface Revocation {
  kind: 'family' | 'jti' | 'token' | 'user';
  subject: string;
}

type Remembered = 'token' | 'user';

/** What a replica holds in memory, so that a request needs no query for its authentication. */
export interface Memory {
  isRevoked: (kind: 'family' | 'jti', subject: string) => boolean;
  /** The answer of `read`, remembered until it is revoked. Concurrent callers share one `read`. */
  remember: <Value extends object>(
    kind: Remembered,
    subject: string,
    read: () => Promise<Value | undefined>,
  ) => Promise<Value | undefined>;
  apply: (revocations: Revocation[]) => void;
  /** After a silence nothing remembered can be believed; what is revoked stays so. */
  forget: () => void;
}

const MAX_REMEMBERED = 50_000;
// Revocations drop what changed; this only lets go of what nobody asks for any more.
const REMEMBERED_MS = 300_000;
// As a size and not as `max`, for which the library would take all the memory at the start.
const REMEMBERING = {
  maxSize: MAX_REMEMBERED,
  sizeCalculation: () => 1,
  ttl: REMEMBERED_MS,
};

/** `holdMs`: how long a revocation is of interest, which is the longest life of a token it can concern. */
export function createMemory(holdMs: number): Memory {
  // Both in the order of arrival, which is the order in which they lapse.
  const revoked = { family: new Map<string, number>(), jti: new Map<string, number>() };
  const values = {
    token: new LRUCache<string, object>(REMEMBERING),
    user: new LRUCache<string, object>(REMEMBERING),
  };
  const reads = {
    token: new Map<string, Promise<object | undefined>>(),
    user: new Map<string, Promise<object | undefined>>(),
  };

  function hold(kind: 'family' | 'jti', subject: string): void {
    // Rows are seen twice where transactions overlap; the first time counts.
    if (!revoked[kind].has(subject)) revoked[kind].set(subject, performance.now() + holdMs);
  }

  function drop(kind: Remembered, subject: string): void {
    values[kind].delete(subject);
    // What is being read may be what was; whoever asks from here on reads anew.
    reads[kind].delete(subject);
  }

  function letGo(): void {
    const now = performance.now();
    for (const held of Object.values(revoked)) {
      for (const [subject, until] of held) {
        if (until > now) break;
        held.delete(subject);
      }
    }
  }

  async function read<Value extends object>(
    kind: Remembered,
    subject: string,
    ask: () => Promise<Value | undefined>,
  ): Promise<Value | undefined> {
    const reading = ask();
    reads[kind].set(subject, reading);
    try {
      const value = await reading;
      if (value !== undefined && reads[kind].get(subject) === reading)
        values[kind].set(subject, value);
      return value;
    } finally {
      if (reads[kind].get(subject) === reading) reads[kind].delete(subject);
    }
  }

  return {
    isRevoked: (kind, subject) => revoked[kind].has(subject),
    remember: async <Value extends object>(
      kind: Remembered,
      subject: string,
      ask: () => Promise<Value | undefined>,
    ) => {
      // One kind holds values of one type, which its one caller knows.
      const known = values[kind].get(subject) as Value | undefined;
      if (known) return known;
      const reading = reads[kind].get(subject) as Promise<Value | undefined> | undefined;
      return reading ?? read(kind, subject, ask);
    },
    apply: (revocations) => {
      letGo();
      for (const { kind, subject } of revocations) {
        if (kind === 'family' || kind === 'jti') hold(kind, subject);
        else drop(kind, subject);
      }
    },
    forget: () => {
      for (const kind of ['token', 'user'] as const) {
        values[kind].clear();
        reads[kind].clear();
      }
    },
  };
}
