import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../db.ts';
import { createMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import { followRevocations } from './stream.ts';
import type { Stream } from './stream.ts';

/** What a request may know of the revocations. */
export interface Live
  extends Pick<Memory, 'isRevoked' | 'remember'>, Pick<Stream, 'isFresh' | 'catchUp'> {
  /** How far back memory reaches, in seconds: of a token that lives longer it cannot tell. */
  holdSeconds: number;
}

/** Reads what was revoked of late, and follows it from here on. */
export async function startLive(
  { openChannel }: Pick<Database, 'openChannel'>,
  config: Config,
  log: Logger,
): Promise<Live & Pick<Stream, 'lag' | 'tryToLead' | 'stop'>> {
  const holdSeconds = revocationSeconds(config);
  const memory = createMemory(holdSeconds * 1000);
  const stream = await followRevocations(openChannel, memory, holdSeconds, log);
  return { ...memory, ...stream, holdSeconds };
}

// Beyond the longest life of a token: clocks that differ, and a token that is signed while its session ends.
const MARGIN_SECONDS = 60;

/** For how long a revocation can concern a token that is out. */
export function revocationSeconds(config: Config): number {
  const longest = config.AUTH_TOKEN_CLASSES.includes('SlidingToken')
    ? Math.max(config.ACCESS_TOKEN_LIFETIME, config.SLIDING_TOKEN_LIFETIME)
    : config.ACCESS_TOKEN_LIFETIME;
  // Once for a token from a clock that is ahead, and once for its end.
  return longest + 2 * config.LEEWAY + MARGIN_SECONDS;
}
