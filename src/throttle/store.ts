import { createRequire } from 'node:module';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type * as Limiters from 'rate-limiter-flexible';
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '../config.ts';
import type { Rate } from '../setting-parsers.ts';

// Each in a file of its own: the package as a whole brings the stores of ten other databases, and a replica its start later.
const load = createRequire(import.meta.url);
const fileOf = (name: string): string => `rate-limiter-flexible/lib/${name}.js`;
const RateLimiterMemory: typeof Limiters.RateLimiterMemory = load(fileOf('RateLimiterMemory'));

/** Counts by key, for all replicas; for this one alone where their common store does not answer. */
export interface Counter {
  /** Counts one more. Where that is too many, it says so, and until when. */
  consume: (key: string) => Promise<Count>;
  /** Takes one back. */
  reward: (key: string) => Promise<void>;
}

export interface Count {
  isTooMany: boolean;
  remaining: number;
  /** Seconds until the count begins anew. */
  wait: number;
}

export interface Store {
  counter: (name: string, rate: Rate) => Counter;
  /** A mark that is there for so many seconds. */
  marks: (name: string, seconds: number) => Marks;
  close: () => Promise<void>;
}

export interface Marks {
  set: (key: string) => Promise<void>;
  has: (key: string) => Promise<boolean>;
}

const TABLE = 'rate_limit';
// Whoever is counted waits for it, and a login has a database to wait for besides.
const PATIENCE_MS = 250;
const LOCAL_MS = 1000;

/** The store that REDIS_URL names, or else the database. */
export async function openStore(
  { REDIS_URL }: Pick<Config, 'REDIS_URL'>,
  db: Knex,
  log: Pick<Logger, 'warn'>,
  { patienceMs = PATIENCE_MS } = {},
): Promise<Store> {
  const redis = REDIS_URL === undefined ? undefined : await connectToRedis(REDIS_URL);
  const shared = redis ? inRedis(redis) : inDatabase(db);
  let localUntil = -Infinity;

  function limiter(options: Limits): Ask {
    const [common, local] = [shared(options), new RateLimiterMemory(options)];
    return async (question) => {
      if (performance.now() < localUntil) return question(local);
      try {
        return await atMost(patienceMs, question(common));
      } catch (error) {
        if (!(error instanceof Error)) throw error; // an answer: too many
        log.warn({ err: error }, 'the store of rates does not answer: this replica counts alone');
        localUntil = performance.now() + LOCAL_MS;
        return question(local);
      }
    };
  }

  return {
    counter: (name, { count, seconds }) => {
      // What is over its limit is refused from memory until it may be within again.
      const block = { inMemoryBlockOnConsumed: count + 1 };
      const ask = limiter({ keyPrefix: name, points: count, duration: seconds, ...block });
      return {
        consume: (key) =>
          ask((one) => one.consume(key)).then(
            (result) => countOf(result, false),
            (result: unknown) => {
              if (result instanceof Error) throw result;
              return countOf(result as RateLimiterRes, true); // the library's way to say no
            },
          ),
        reward: async (key) => void (await ask((one) => one.reward(key))),
      };
    },
    marks: (name, seconds) => {
      const ask = limiter({ keyPrefix: name, points: 1, duration: seconds });
      return {
        set: async (key) => void (await ask((one) => one.set(key, 1, seconds))),
        has: async (key) => (await ask((one) => one.get(key))) !== null,
      };
    },
    close: async () => redis?.disconnect(),
  };
}

function inDatabase(db: Knex): (options: Limits) => RateLimiterAbstract {
  const RateLimiterPostgres: typeof Limiters.RateLimiterPostgres = load(
    fileOf('RateLimiterPostgres'),
  );
  const how = { tableName: TABLE, tableCreated: true, clearExpiredByTimeout: false };
  return (options) =>
    new RateLimiterPostgres({ ...options, ...how, storeClient: db, storeType: 'knex' });
}

function inRedis(redis: object): (options: Limits) => RateLimiterAbstract {
  const RateLimiterRedis: typeof Limiters.RateLimiterRedis = load(fileOf('RateLimiterRedis'));
  return (options) =>
    new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true });
}

type Ask = <Answer>(question: (limiter: RateLimiterAbstract) => Promise<Answer>) => Promise<Answer>;

interface Limits {
  keyPrefix: string;
  points: number;
  duration: number;
  inMemoryBlockOnConsumed?: number;
}

const countOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isTooMany: boolean): Count => ({
  isTooMany,
  remaining: remainingPoints,
  wait: Math.max(1, Math.ceil(msBeforeNext / 1000)),
});

async function connectToRedis(url: string) {
  // Loaded here only: most deployments have the database alone.
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    retryStrategy: () => 1000,
  });
  // It connects anew by itself, and who asks meanwhile hears of it.
  redis.on('error', () => {});
  await redis.connect().catch(() => {});
  return redis;
}

async function atMost<Answer>(ms: number, work: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
