import type { Scope } from '../scope.ts';
import { inTurn } from '../turns.ts';
import type { ContenderName } from './contenders.ts';
import { askOnce, httpLane, requireSameResults } from './lanes.ts';
import type { Lane } from './lanes.ts';
import type { Server } from './servers.ts';
import type { Stage } from './stage.ts';
import type { Asked } from './wrk.ts';

/** What is asked of contenders side by side. */
export interface Work {
  name: string;
  title: string;
  /** Of each run. */
  seconds: number;
  /** Latchkey's lane is the first. What is started for this work alone ends with its scope. */
  open: (stage: Stage, scope: Scope) => Promise<Lane[]>;
}

export const LATCHKEY = 'Latchkey';
export const BY_TOKEN = 'Latchkey, by Token';

const bearer = ({ access }: { access: string }): Record<string, string> => ({
  Authorization: `Bearer ${access}`,
});

const page: Work = {
  name: 'page',
  title: 'Product page: the newest 25 of 10,000',
  seconds: 3,
  open: async (stage) => {
    const byJwt = stage.sessions.map((session) => ({
      path: '/products/',
      headers: bearer(session),
    }));
    const byToken = stage.tokens.map((token) => ({
      path: '/products/',
      headers: { Authorization: `Token ${token}` },
    }));
    const others = await present(stage, ['raw', 'limit', 'fastify', 'express', 'fastapi', 'drf']);
    await compare([stage.latchkey, ...others], inTurn(byJwt, 0));
    await askOnce(stage.latchkey, inTurn(byToken, 0), 200);
    return [
      httpLane(stage.latchkey, byJwt),
      httpLane(stage.latchkey, byToken, { name: BY_TOKEN }),
      ...others.map((server) => httpLane(server, byJwt)),
    ];
  },
};

export const WORKS: readonly Work[] = [page];

async function present(stage: Stage, names: ContenderName[]): Promise<Server[]> {
  const servers: Server[] = [];
  for (const name of names) {
    const server = await stage.contender(name);
    if (server) servers.push(server);
  }
  return servers;
}

async function compare(servers: Server[], asked: Asked): Promise<void> {
  const answers = servers.map(async (server) => ({
    label: server.label,
    text: await askOnce(server, asked, 200),
  }));
  requireSameResults(await Promise.all(answers));
}
