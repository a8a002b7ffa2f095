import { createHmac, hkdfSync } from 'node:crypto';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Caller } from '../contract.ts';
import { OperatorError, Throttled } from '../errors.ts';
import type { Rate } from '../setting-parsers.ts';
import { openStore } from './store.ts';
import type { Count, Counter } from './store.ts';

/** What the contract's `x-throttle-scope` can name: `by` whom requests are counted, and whether those that succeed are. */
const SCOPES = {
  login: { rate: 'THROTTLE_LOGIN', countsSuccess: false },
  register: { rate: 'THROTTLE_REGISTER', countsSuccess: true },
  password: { rate: 'THROTTLE_PASSWORD', countsSuccess: false },
} as const;

function scopeNamed(name: string | undefined) {
  if (name === undefined) return undefined;
  if (!Object.hasOwn(SCOPES, name)) throw new OperatorError(`x-throttle-scope: ${name} is none`);
  return { name, ...SCOPES[name as keyof typeof SCOPES] };
}

/** Who is counted. */
interface Sender {
  caller: Caller | null;
  ip: string;
}

/** A request that was counted and let in. */
interface Passage {
  headers: Record<string, string>;
  /** It was none of those that are to be few. */
  succeeded: () => Promise<void>;
}

/** Counts a request; throws Throttled. */
export type Limit = (sender: Sender) => Promise<Passage>;

export interface Guess {
  wasRight: () => Promise<void>;
  takeBack: () => Promise<void>;
}

export interface Throttle {
  /** The limits of requests to operations of a scope; undefined where there are none. Throws for an unknown scope. */
  limitOf: (scope: string | undefined) => Limit | undefined;
  /**
   * Counts a guess at the password of an account, whether it exists or not; throws Throttled. To be told when it was
   * right, and to be taken back where nobody looked at it. Nobody is locked out of an account by the guesses of others where its user has logged in of late.
   */
  guess: (username: string, ip: string) => Promise<Guess>;
  close: () => Promise<void>;
}

const KNOWN_SECONDS = 30 * 86_400;

/** What counts nobody: THROTTLE_ENABLED is off. */
const UNLIMITED: Throttle = {
  limitOf: (scope) => void scopeNamed(scope),
  guess: async () => ({ wasRight: async () => undefined, takeBack: async () => undefined }),
  close: async () => undefined,
};

export async function createThrottle(
  config: Config,
  db: Knex,
  log: Pick<Logger, 'warn'>,
  options?: { patienceMs: number },
): Promise<Throttle> {
  if (!(config.THROTTLE_ENABLED ?? config.NODE_ENV !== 'test')) return UNLIMITED;
  const store = await openStore(config, db, log, options);
  const keyOf = keysFor(config);
  const known = store.marks('known', KNOWN_SECONDS);
  const [anon, user, guesses, account] = [
    policy('anon', config.THROTTLE_ANON),
    policy('user', config.THROTTLE_USER),
    policy('guess', config.THROTTLE_GUESS),
    policy('account', config.THROTTLE_ACCOUNT),
  ];

  function policy(name: string, rate: Rate | null | undefined): Policy | undefined {
    return rate ? { name, rate, counter: store.counter(name, rate) } : undefined;
  }

  return {
    limitOf: (scope) => {
      const named = scopeNamed(scope);
      const scoped = named && policy(named.name, config[named.rate]);
      if (!anon && !user && !scoped) return undefined;
      return async (sender) => {
        const key = keyOf(identOf(sender));
        const general = sender.caller ? user : anon;
        const counted = general ? [await count(general, key)] : [];
        if (scoped) counted.push(await count(scoped, key));
        return {
          headers: headersOf(counted),
          succeeded: async () => {
            if (scoped && !named.countsSuccess) await scoped.counter.reward(key);
          },
        };
      };
    },
    guess: async (username, ip) => {
      const [everywhere, here] = [keyOf(username), keyOf(username, prefixOf(ip))];
      const atHere = guesses && (await count(guesses, here));
      const atAll = account && (await count(account, everywhere, () => known.has(here)));
      const takeBack = async (): Promise<void> => {
        await atHere?.counter.reward(here);
        // Who was let in beyond the limit was not counted.
        if (!atAll?.isTooMany) await atAll?.counter.reward(everywhere);
      };
      return {
        takeBack,
        wasRight: async () => {
          await Promise.all([takeBack(), account && known.set(here)]);
        },
      };
    },
    close: store.close,
  };
}

interface Policy {
  name: string;
  rate: Rate;
  counter: Counter;
}

type Counted = Policy & Count;

async function count(
  policy: Policy,
  key: string,
  isExempt: () => Promise<boolean> = async () => false,
): Promise<Counted> {
  const counted = { ...policy, ...(await policy.counter.consume(key)) };
  if (counted.isTooMany && !(await isExempt()))
    throw new Throttled(counted.wait, headersOf([counted]));
  return counted;
}

// After draft-ietf-httpapi-ratelimit-headers-10.
function headersOf(counted: Counted[]): Record<string, string> {
  if (counted.length === 0) return {};
  const policies = counted.map(({ name, rate }) => `"${name}";q=${rate.count};w=${rate.seconds}`);
  const left = counted.map(({ name, remaining, wait }) => `"${name}";r=${remaining};t=${wait}`);
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: left.join(', ') };
}

function identOf({ caller, ip }: Sender): string {
  if (caller?.user) return `user ${caller.user.id}`;
  return caller ? `client ${caller.clientId}` : prefixOf(ip);
}

// The store names nobody, and no name is too long for it.
function keysFor({ SECRET_KEY }: Config): (...parts: string[]) => string {
  const secret = Buffer.from(hkdfSync('sha256', SECRET_KEY, '', 'latchkey throttle', 32));
  return (...parts) =>
    createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url');
}

/** The part of an address that one subscriber has: all of IPv4, and the first 64 bits of IPv6. */
export function prefixOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const [head = '', tail = ''] = ip.split('::');
  const [front, back] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [
    string[],
    string[],
  ];
  const zeros = ip.includes('::') ? Array<string>(8 - front.length - back.length).fill('0') : [];
  const groups = [...front, ...zeros, ...back].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
