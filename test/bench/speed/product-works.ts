import { inTurn } from '../turns.ts';
import { askOnce, httpLane, requireSameResults } from './lanes.ts';
import type { Server } from './servers.ts';
import type { Asked } from './wrk.ts';
import { bearer, contenders, latchkeyFor } from './work.ts';
import type { Asks, Work } from './work.ts';

export const BY_TOKEN = 'Latchkey, by Token';

export const pageByJwt: Asks = {
  due: 200,
  requests: async ({ sessions }) =>
    sessions.map((session) => ({ path: '/products/', headers: bearer(session) })),
};

const pageByToken: Asks = {
  due: 200,
  requests: async ({ tokens }) =>
    tokens.map((token) => ({ path: '/products/', headers: { Authorization: `Token ${token}` } })),
};

export const page: Work = {
  name: 'page',
  title: 'Product page by JWT: the newest 25 of 10,000',
  seconds: 3,
  asks: pageByJwt,
  open: async (stage) => {
    const requests = await pageByJwt.requests(stage, 1);
    const others = await contenders(stage, [
      'limit',
      'fastify',
      'raw',
      'express',
      'fastapi',
      'drf',
    ]);
    const servers = [stage.latchkey, ...others];
    await compare(servers, inTurn(requests, 0));
    return servers.map((server) => httpLane(server, requests));
  },
};

export const token: Work = {
  name: 'token',
  title: 'Product page by Token, beside our own by JWT',
  seconds: 2,
  asks: pageByToken,
  open: async (stage) => {
    const [byToken, byJwt] = await Promise.all(
      [pageByToken, pageByJwt].map((asks) => asks.requests(stage, 1)),
    );
    return [
      httpLane(stage.latchkey, byToken ?? [], { name: BY_TOKEN }),
      httpLane(stage.latchkey, byJwt ?? []),
    ];
  },
};

const FILTERED = '/products/?price__lt=500&name__icontains=oak&search=large&ordering=price';

const filtered: Asks = {
  due: 200,
  requests: async ({ sessions }) =>
    sessions.map((session) => ({ path: FILTERED, headers: bearer(session) })),
};

export const filter: Work = {
  name: 'filter',
  title: 'Filtered by price and name, searched, ordered by price',
  seconds: 2,
  asks: filtered,
  open: async (stage) => {
    const requests = await filtered.requests(stage, 1);
    const servers = [stage.latchkey, ...(await contenders(stage, ['drf']))];
    await compare(servers, inTurn(requests, 0));
    return servers.map((server) => httpLane(server, requests));
  },
};

const created: Asks = {
  due: 201,
  requests: async ({ sessions }) =>
    sessions.map((session, index) => ({
      method: 'POST',
      path: '/products/',
      headers: bearer(session),
      json: {
        name: `Oak bench ${index}`,
        description: 'Made by hand, large, 180 cm.',
        price: '249.90',
        stock: 12,
      },
    })),
};

export const create: Work = {
  name: 'create',
  title: 'Create a product',
  seconds: 2,
  asks: created,
  open: async (stage, scope) => {
    const { db } = stage.deps;
    const before = await db('product').max<{ last: number }[]>('id as last');
    // The works that come after it list what the others listed.
    scope.onClose(async () => {
      await db('product')
        .where('id', '>', before[0]?.last ?? 0)
        .delete();
      await db.raw('VACUUM ANALYZE product');
    });
    const requests = await created.requests(stage, 1);
    const latchkey = await latchkeyFor(created, stage, scope);
    const others = await contenders(stage, ['fastify', 'raw', 'express', 'fastapi', 'drf']);
    const servers = [latchkey, ...others];
    for (const server of servers) await askOnce(server, inTurn(requests, 0), created.due);
    return servers.map((server) => httpLane(server, requests));
  },
};

async function compare(servers: Server[], asked: Asked): Promise<void> {
  const answers = servers.map(async (server) => ({
    label: server.label,
    text: await askOnce(server, asked, 200),
  }));
  requireSameResults(await Promise.all(answers));
}
