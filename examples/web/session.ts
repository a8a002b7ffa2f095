// Keeps a user of Latchkey logged in: a `fetch` that sends the access token, renews it where it is refused and repeats
// the request once. Copy this file beside your client; it needs nothing, in browsers and in Node. README.md shows how.

export interface TokenPair {
  access: string;
  refresh: string;
}

/** `localStorage`, `sessionStorage` or what has their methods; those may also answer with promises. */
export interface PairStorage {
  getItem: (key: string) => string | null | Promise<string | null>;
  setItem: (key: string, value: string) => unknown;
  removeItem: (key: string) => unknown;
}

export interface SessionOptions {
  /** Where the service is, such as `https://api.example.com`. Tokens are sent nowhere else. */
  api: string;
  /** Memory, unless told otherwise: one login for each page. With `localStorage` all tabs share one. */
  storage?: PairStorage;
  fetch?: typeof fetch;
  /** The session is over, other than by this instance's `start()` and `end()`: refused, or ended or replaced in another tab. */
  onSessionEnd?: () => void;
}

export interface Session {
  /**
   * For any client that takes a `fetch`. Where the session is over it answers the 401 of the request, and where it can't
   * be renewed for now the 503 of the refresh, or rejects as `fetch` does; the tokens are kept then.
   */
  fetch: typeof fetch;
  /** With the answer of `POST /login/`. */
  start: (pair: TokenPair) => Promise<void>;
  isOpen: () => Promise<boolean>;
  /** Renews the tokens before anybody refuses them, for new claims for example. False where the session is over. */
  refresh: () => Promise<boolean>;
  /** Logs out: forgets the tokens at once, and then has the service end the session. */
  end: () => Promise<void>;
}

interface Stored extends TokenPair {
  /** Tells one login from the next, so that what one user asked for is never repeated as another one. No secret. */
  id: string;
}

/** A new access token, an answer that says to try again later, or nothing where the session is over. */
type Renewal = string | Response | undefined;

// A refresh that hangs would hold up every tab.
const PATIENCE_MS = 30_000;

// What one tab writes to localStorage the others read a moment later, 12 ms at most where it was measured (in Chromium).
const SETTLE_MS = 250;

// Their 401 is about what is in the body, not about an access token.
const JUDGED_BY_BODY = [
  '/login/',
  '/refresh_token/',
  '/login/sliding/',
  '/refresh_token/sliding/',
  '/verify_token/',
  '/blacklist_token/',
];

type Act = () => Promise<Renewal>;

/** What is there depends on where this runs, and so do its types: written down here, the file compiles anywhere. */
interface World {
  location?: { href: string };
  /** Absent on pages that came by plain HTTP from elsewhere than this machine. */
  navigator?: { locks?: { request: (name: string, run: () => Promise<void>) => Promise<void> } };
  addEventListener?: (type: string, hear: (event: { key?: string | null }) => void) => void;
}

export function createSession({
  api,
  storage = memory(),
  fetch: send = (input, init) => fetch(input, init),
  onSessionEnd = () => undefined,
}: SessionOptions): Session {
  const world: World = globalThis;
  const base = new URL(api, world.location?.href).href.replace(/\/$/, '');
  const key = `latchkey ${base}`;
  const renewals = new Map<string, Promise<Renewal>>();
  let settled: Promise<unknown> = Promise.resolve();
  let current: string | undefined; // id of the session that this instance goes by

  // Another tab has logged in or out. (Only localStorage is heard of; with others the next request notices.)
  world.addEventListener?.('storage', (event) => {
    if (event.key === key || event.key === null) void load();
  });

  /** Always read anew, as another tab may have written. */
  async function load(): Promise<Stored | undefined> {
    const before = current;
    const stored = parse(await storage.getItem(key));
    if (current === before) {
      current = stored?.id;
      if (before !== undefined && before !== current) onSessionEnd();
    }
    return stored;
  }

  async function start({ access, refresh }: TokenPair): Promise<void> {
    const id = String(Math.random());
    current = undefined;
    await storage.setItem(key, JSON.stringify({ id, access, refresh }));
    current = id;
  }

  async function end(): Promise<void> {
    const stored = parse(await storage.getItem(key));
    current = undefined;
    await storage.removeItem(key);
    if (!stored) return;
    // Ends the whole session, even if a refresh is under way that retires this token: what it brings is worth nothing.
    const { ok, status } = await post('/blacklist_token/', { refresh: stored.refresh });
    if (!ok && status !== 401) throw new Error(`The service did not log out: ${status}`);
  }

  const post = (path: string, body: object): Promise<Response> =>
    send(base + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });

  /** One renewal for all who were refused with the same token, in this tab and in all others. */
  function renewOnce(refused: Stored): Promise<Renewal> {
    const shared = renewals.get(refused.access);
    if (shared) return shared;
    const renewal = alone(() => renew(refused)).finally(() => renewals.delete(refused.access));
    renewals.set(refused.access, renewal);
    return renewal;
  }

  // The lock is kept until the other tabs can read the new pair. Without locks two tabs may refresh at once, and the
  // service answers both alike, within REFRESH_GRACE.
  function alone(act: Act): Promise<Renewal> {
    const { locks } = world.navigator ?? {};
    if (!locks) return act();
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        const renewal = act();
        resolve(renewal);
        await renewal;
        await settled;
      };
      locks.request(key, run).catch(reject);
    });
  }

  async function renew(refused: Stored): Promise<Renewal> {
    const used = await load();
    if (used?.id !== refused.id) return undefined;
    if (used.access !== refused.access) return used.access; // another tab was faster

    const answer = await post('/refresh_token/', { refresh: used.refresh });
    const tokens = answer.ok ? tokensIn(await answer.json()) : {};
    const stored = await load();
    if (stored?.id !== refused.id) return undefined; // ended or replaced meanwhile: nothing brings it back
    if (answer.status === 401) {
      if (stored.refresh !== used.refresh) return stored.access; // another tab was faster, without locks
      await storage.removeItem(key);
      await load();
      return undefined;
    }
    if (answer.status === 429 || answer.status >= 500) return answer;
    const { access, refresh = stored.refresh } = tokens;
    if (!access) throw new Error(`${base}/refresh_token/ gave no token: ${answer.status}`);
    await storage.setItem(key, JSON.stringify({ id: stored.id, access, refresh }));
    if (world.addEventListener) settled = new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return access;
  }

  const takesToken = ({ url, headers }: Request): boolean =>
    url.startsWith(`${base}/`) &&
    !headers.has('Authorization') &&
    !JUDGED_BY_BODY.includes(url.slice(base.length).replace(/[?#].*/, ''));

  // Nothing is refreshed ahead of time: the clock of a client may be wrong, and a 401 has done nothing yet.
  async function fetchAsUser(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    const request = new Request(input, init);
    const stored = takesToken(request) ? await load() : undefined;
    if (!stored) return send(request);
    const answer = await send(withToken(request.clone(), stored.access));
    if (answer.status !== 401) return answer;

    const renewal = await unlessAborted(renewOnce(stored), request.signal);
    if (renewal === undefined) return answer;
    await answer.arrayBuffer(); // unread it would keep its connection
    return typeof renewal === 'string' ? send(withToken(request, renewal)) : renewal.clone();
  }

  return {
    fetch: fetchAsUser,
    start,
    isOpen: async () => (await load()) !== undefined,
    refresh: async () => {
      const stored = await load();
      const renewal = stored && (await renewOnce(stored));
      if (renewal instanceof Response) throw new Error(`No refresh for now: ${renewal.status}`);
      return renewal !== undefined;
    },
    end,
  };
}

function withToken(request: Request, access: string): Request {
  request.headers.set('Authorization', `Bearer ${access}`);
  return request;
}

/** Of an answer of whatever kind: a portal between us and the service may have its own ideas. */
function tokensIn(body: unknown): Partial<TokenPair> {
  const { access, refresh }: Record<string, unknown> = { ...Object(body) };
  return {
    ...(typeof access === 'string' && { access }),
    ...(typeof refresh === 'string' && { refresh }),
  };
}

// What is no pair of ours is none, whoever wrote it.
function parse(text: string | null): Stored | undefined {
  try {
    const { id, access, refresh } = JSON.parse(text ?? '{}');
    const isPair = [id, access, refresh].every((part) => typeof part === 'string' && part !== '');
    return isPair ? { id, access, refresh } : undefined;
  } catch {
    return undefined;
  }
}

function memory(): PairStorage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

/** A caller that gives up need not wait for what it shares with others. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
