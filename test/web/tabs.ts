import { createSession } from '../../examples/web/session.ts';
import type {
  PairStorage,
  Session,
  SessionOptions,
  TokenPair,
} from '../../examples/web/session.ts';

export interface Traffic {
  fetch: typeof fetch;
  /** `POST /login/ 401` and the like, in the order of the answers. */
  seen: string[];
  refreshes: () => number;
}

/** The real `fetch`, and what went through it. `before` can hold a request up. */
export function watch(
  before: (line: string) => Promise<void> = async () => undefined,
  send = fetch,
): Traffic {
  const seen: string[] = [];
  return {
    seen,
    refreshes: () => seen.filter((line) => line.includes('/refresh_token/')).length,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const line = `${request.method} ${new URL(request.url).pathname}`;
      await before(line);
      // On a machine full of tests the service may close a kept connection just when it is used again.
      request.headers.set('Connection', 'close');
      const answer = await send(request);
      seen.push(`${line} ${answer.status}`);
      return answer;
    },
  };
}

/** Traffic in which each refresh waits for `release`. */
export function holdRefreshes(send = fetch): {
  traffic: Traffic;
  /** Fulfilled when the first one is on its way. */
  reached: Promise<void>;
  release: () => void;
} {
  const reached = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const traffic = watch(async (line) => {
    if (!line.endsWith('/refresh_token/')) return;
    reached.resolve();
    await held.promise;
  }, send);
  return { traffic, reached: reached.promise, release: held.resolve };
}

export interface Shared extends PairStorage {
  /** The one pair in it. */
  pair: () => Partial<TokenPair>;
}

/** As localStorage is: one for all tabs. */
export function sharedStorage(): Shared {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
    pair: () => {
      const { access, refresh } = JSON.parse([...items.values()].join() || '{}');
      return { access, refresh };
    },
  };
}

export interface Tab extends Session {
  traffic: Traffic;
  /** How often the tab was told that its session is over. */
  ends: () => number;
  storage: Shared;
}

export function openTab(
  api: string,
  storage = sharedStorage(),
  { traffic = watch(), ...options }: Partial<SessionOptions> & { traffic?: Traffic } = {},
): Tab {
  let ends = 0;
  const session = createSession({
    api,
    storage,
    fetch: traffic.fetch,
    onSessionEnd: () => {
      ends += 1;
    },
    ...options,
  });
  return { ...session, traffic, ends: () => ends, storage };
}

export const statusesOf = async (answers: Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(answers)).map(({ status }) => status);

/** So many calls at once. */
export const times = (count: number, call: () => Promise<Response>): Promise<Response>[] =>
  Array.from({ length: count }, call);
