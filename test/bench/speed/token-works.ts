import { generateKeyPairSync } from 'node:crypto';
import type { Scope } from '../scope.ts';
import { inTurn } from '../turns.ts';
import { drfRefreshTokens } from './drf.ts';
import { askOnce, httpLane, onceLane } from './lanes.ts';
import type { Lane } from './lanes.ts';
import { pgbenchLane } from './pgbench.ts';
import { makeRefreshTokens } from './refresh-tokens.ts';
import { startContender } from './servers.ts';
import type { Stage } from './stage.ts';
import type { Asked } from './wrk.ts';
import { contenders, latchkeyFor } from './work.ts';
import type { Asks, Work } from './work.ts';

const verified: Asks = {
  due: 200,
  requests: async ({ sessions }) =>
    sessions.map(({ access }) => ({
      method: 'POST',
      path: '/verify_token/',
      json: { token: access },
    })),
};

export const verify: Work = {
  name: 'verify',
  title: 'Verify an access token',
  seconds: 2,
  asks: verified,
  open: async (stage) => {
    const requests = await verified.requests(stage, 1);
    const others = await contenders(stage, ['koa', 'raw', 'fastify', 'fastapi', 'drf']);
    const servers = [stage.latchkey, ...others];
    for (const server of servers) await askOnce(server, inTurn(requests, 0), verified.due);
    return servers.map((server) => httpLane(server, requests));
  },
};

const refreshing = (refresh: string): Asked => ({
  method: 'POST',
  path: '/refresh_token/',
  json: { refresh },
});

const refreshed: Asks = {
  due: 200,
  requests: async ({ sessions }) => sessions.map(({ refresh: shown }) => refreshing(shown)),
};

export const refresh: Work = {
  name: 'refresh',
  title: 'Refresh without rotation',
  seconds: 2,
  asks: refreshed,
  open: async (stage) => {
    const requests = await refreshed.requests(stage, 1);
    await askOnce(stage.latchkey, inTurn(requests, 0), refreshed.due);
    const lanes = [httpLane(stage.latchkey, requests)];
    const [drf] = await contenders(stage, ['drf']);
    if (drf) {
      const theirs = (await drfRefreshTokens(stage, 1000)).map(refreshing);
      await askOnce(drf, inTurn(theirs, 0), 200);
      lanes.push(httpLane(drf, theirs));
    }
    return lanes;
  },
};

const rotated: Asks = {
  settings: { ROTATE_REFRESH_TOKENS: 'true' },
  due: 200,
  once: true,
  requests: async (stage, count) => (await makeRefreshTokens(count, stage)).map(refreshing),
};

// More than are answered in a second by whom; a run that needs more fails.
const LATCHKEY_PER_SECOND = 8000;
const DRF_PER_SECOND = 1500;

export const rotation: Work = {
  name: 'rotation',
  title: 'Refresh with rotation: each token is used once',
  seconds: 2,
  asks: rotated,
  open: async (stage, scope) => {
    const latchkey = await latchkeyFor(rotated, stage, scope);
    const lanes: Lane[] = [
      onceLane(latchkey, (seconds) => rotated.requests(stage, seconds * LATCHKEY_PER_SECOND)),
      await pgbenchLane(stage, scope),
    ];
    const limits = await contenders(stage, ['http']);
    const requests = await refreshed.requests(stage, 1);
    lanes.push(...limits.map((server) => httpLane(server, requests)));
    if ((await contenders(stage, ['drf'])).length > 0) lanes.push(await drfRotation(stage, scope));
    return lanes;
  },
};

async function drfRotation(stage: Stage, scope: Scope): Promise<Lane> {
  const server = await startContender('drf', stage.url, scope, { ROTATE_REFRESH_TOKENS: 'true' });
  return onceLane(server, async (seconds) =>
    (await drfRefreshTokens(stage, seconds * DRF_PER_SECOND)).map(refreshing),
  );
}

const keyPage: Asks = {
  settings: { ALGORITHM: 'ES256', SIGNING_KEY: es256Key() },
  due: 200,
  requests: async () => [{ path: '/.well-known/jwks.json' }],
};

export const jwks: Work = {
  name: 'jwks',
  title: 'The JWKS page, with a key of ES256',
  seconds: 2,
  asks: keyPage,
  open: async (stage, scope) => {
    const latchkey = await latchkeyFor(keyPage, stage, scope);
    const requests = await keyPage.requests(stage, 1);
    await askOnce(latchkey, inTurn(requests, 0), keyPage.due);
    const servers = [latchkey, ...(await contenders(stage, ['http']))];
    return servers.map((server) => httpLane(server, requests));
  },
};

function es256Key(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
