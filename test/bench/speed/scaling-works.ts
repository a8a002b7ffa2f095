import { settings } from '../../../src/settings.ts';
import { httpLane } from './lanes.ts';
import type { Lane } from './lanes.ts';
import { pageByJwt } from './product-works.ts';
import { startLatchkey } from './servers.ts';
import type { Work } from './work.ts';

const CONNECTIONS = [16, 64, 256];
const WORKERS = [1, 2, 4];

export const connections: Work = {
  name: 'connections',
  title: 'Product page by JWT, by connections',
  seconds: 2,
  open: async (stage) => {
    const requests = await pageByJwt.requests(stage, 1);
    return CONNECTIONS.map((count) =>
      httpLane(stage.latchkey, requests, { connections: count, name: `${count} connections` }),
    );
  },
};

export const workers: Work = {
  name: 'workers',
  title: 'Product page by JWT, by workers, on all cores',
  seconds: 2,
  open: async (stage, scope) => {
    if (!settings.some(({ name }) => name === 'WORKERS')) return [];
    const requests = await pageByJwt.requests(stage, 1);
    const lanes: Lane[] = [];
    for (const count of WORKERS) {
      const label = count === 1 ? '1 worker' : `${count} workers`;
      const how = { label, core: 'all' } as const;
      const server = await startLatchkey(stage.url, { WORKERS: String(count) }, scope, how);
      lanes.push(httpLane(server, requests));
    }
    return lanes;
  },
};
