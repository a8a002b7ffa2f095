import { randomUUID } from 'node:crypto';
import { GENTLY, flushBlacklistedTokens, flushExpiredFamilies } from '../../../src/jwt/flush.ts';
import type { Flush } from '../../../src/jwt/flush.ts';
import { sessionBounds } from '../../../src/jwt/session-bounds.ts';
import { countSessions } from '../../../src/jwt/sessions-repository.ts';
import { findUserById } from '../../../src/users/repository.ts';
import { exchange, refresh } from '../http-client.ts';
import type { RequestOptions } from '../http-client.ts';
import type { Replica } from '../service.ts';
import { openSession, successorIn } from '../sessions.ts';
import { inTurn } from '../turns.ts';
import { USER_ID, foreignRefresh } from './size.ts';
import type { Size } from './size.ts';

/** Something that is done at each size, and whose time is taken. */
export interface Work {
  name: string;
  /** What it is a part of in the chart. */
  panel: string;
  /** The `turn`-th of many; rejects where the answer is another than is due. */
  once: (size: Size, turn: number) => Promise<unknown>;
}

/** Orderings whose 400th page is looked for. */
export const DEEP_ORDERINGS = ['', 'price', 'name', '-created_at'];
export const PAGE_1 = 'page 1, newest first';
export const PAGE_400 = 'page 400, newest first';
export const ROTATION = 'refresh with rotation';
export const REFRESH = 'refresh without rotation';
export const LOOK_UP = 'verify a blacklisted token';

// So few that the smallest table has enough of them for all rounds.
const DELETED = 20;

const LISTING = 'Listing products';
const FILTERING = 'Filtering and searching';
const ONE_ROW = 'One product';
const TOKENS = 'Refresh and blacklist';
const SESSIONS = 'Sessions';

const page = (name: string, path: string, panel = FILTERING): Work => ({
  name,
  panel,
  once: ({ keeping, access }) => expectStatus(200, path, keeping, { bearer: access }),
});

const deepPage = (ordering: string): Work => ({
  name: `page 400, ${ordering === '' ? 'newest first' : `by ${ordering}`}`,
  panel: LISTING,
  once: ({ keeping, access, deep }) =>
    expectStatus(200, deep.get(ordering) ?? 'no such page', keeping, { bearer: access }),
});

export const WORKS: readonly Work[] = [
  page(PAGE_1, '/products/', LISTING),
  ...DEEP_ORDERINGS.slice(1).map((one) =>
    page(`page 1, by ${one}`, `/products/?ordering=${one}`, LISTING),
  ),
  ...DEEP_ORDERINGS.map(deepPage),
  page('filter on the price, by price', '/products/?price__gte=100&price__lt=200&ordering=price'),
  page('filter on the stock, by name', '/products/?stock__gte=400&ordering=name'),
  page('search that many match', '/products/?search=oak+lamp'),
  page('search that many match, by price', '/products/?search=made+oak&ordering=price'),
  page('search that nothing matches', '/products/?search=quixotic'),
  page('filter that nothing matches, by price', '/products/?stock=9999&ordering=price'),
  {
    name: 'retrieve',
    panel: ONE_ROW,
    once: ({ keeping, access, rows }, turn) =>
      expectStatus(200, `/products/${1 + ((turn * 7919) % rows)}/`, keeping, { bearer: access }),
  },
  {
    name: 'create',
    panel: ONE_ROW,
    once: ({ keeping, access }, turn) =>
      expectStatus(201, '/products/', keeping, {
        method: 'POST',
        bearer: access,
        json: { name: `Ash stool ${turn}`, description: 'Made to measure.', price: '49.90' },
      }),
  },
  {
    name: ROTATION,
    panel: TOKENS,
    once: async ({ rotating, rotated }, turn) => {
      const holder = inTurn(rotated, turn);
      const successor = successorIn(await refresh(rotating.origin, holder.refresh));
      if (successor === undefined) throw new Error('a refresh was refused');
      holder.refresh = successor;
    },
  },
  {
    name: REFRESH,
    panel: TOKENS,
    once: ({ keeping, kept }, turn) =>
      expectStatus(200, '/refresh_token/', keeping, {
        method: 'POST',
        json: { refresh: inTurn(kept, turn).refresh },
      }),
  },
  {
    name: LOOK_UP,
    panel: TOKENS,
    once: ({ keeping, blacklisted }, turn) =>
      expectStatus(400, '/verify_token/', keeping, {
        method: 'POST',
        json: { token: inTurn(blacklisted, turn) },
      }),
  },
  {
    name: 'blacklist a token',
    panel: TOKENS,
    once: ({ keeping, deps }) =>
      expectStatus(200, '/blacklist_token/', keeping, {
        method: 'POST',
        json: { refresh: foreignRefresh(randomUUID().replaceAll('-', ''), deps) },
      }),
  },
  {
    name: "insert a login's session",
    panel: SESSIONS,
    once: async ({ deps }, turn) => {
      const user = await findUserById(USER_ID + 1 + (turn % 500), deps.db);
      if (!user) throw new Error('a filled user is not there');
      await openSession(user, deps);
    },
  },
  {
    name: 'list sessions',
    panel: SESSIONS,
    once: ({ keeping, access }) =>
      expectStatus(200, '/auth/sessions/', keeping, { bearer: access }),
  },
  {
    name: 'count sessions',
    panel: SESSIONS,
    once: async ({ deps }) => {
      const bounds = { ...sessionBounds(deps), expiredBy: deps.now(), except: undefined };
      await countSessions({ id: USER_ID, token_version: 0 }, bounds, deps.db);
    },
  },
  {
    name: 'flush: walk over 500 sessions',
    panel: SESSIONS,
    once: ({ deps }) =>
      oneBatch(GENTLY.batch, (flush) => flushExpiredFamilies(deps.now(), flush, deps)),
  },
  {
    name: 'flush: delete 20 blacklisted tokens',
    panel: SESSIONS,
    once: ({ deps }) =>
      oneBatch(DELETED, (flush) => flushBlacklistedTokens(deps.now(), flush, deps)),
  },
];

class Enough extends Error {}

/** The first batch of a flush, of so many rows. */
async function oneBatch(batch: number, flush: (options: Flush) => Promise<unknown>): Promise<void> {
  const onBatch = (): never => {
    throw new Enough();
  };
  await flush({ batch, dryRun: false, onBatch }).catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error;
  });
}

async function expectStatus(
  due: number,
  path: string,
  { origin }: Replica,
  options: RequestOptions,
): Promise<void> {
  const { status, text } = await exchange(origin, path, options);
  if (status !== due) throw new Error(`${path} was answered with ${status}: ${text.slice(0, 200)}`);
}

/** The path of the page that 399 others lead to. */
export async function findDeepPage(
  ordering: string,
  { keeping, access }: Pick<Size, 'keeping' | 'access'>,
  pages: number,
): Promise<string> {
  let path = ordering === '' ? '/products/' : `/products/?ordering=${ordering}`;
  for (let number = 1; number < pages; number += 1) {
    const { text } = await exchange(keeping.origin, path, { bearer: access });
    const { next } = JSON.parse(text) as { next: string | null };
    if (next === null) throw new Error(`there are only ${number} pages`);
    const { pathname, search } = new URL(next);
    path = pathname + search;
  }
  return path;
}
