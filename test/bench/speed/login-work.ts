import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hashPassword } from '../../../src/users/passwords.ts';
import { insertUser } from '../../../src/users/repository.ts';
import { percentile } from '../figure.ts';
import { exchange } from '../http-client.ts';
import { inLanes } from '../lanes.ts';
import { startProcess } from '../processes.ts';
import type { Scope } from '../scope.ts';
import { inTurn } from '../turns.ts';
import { isInstalled } from './contenders.ts';
import { prepareDrf } from './drf.ts';
import type { Lane, Sample } from './lanes.ts';
import { cpuMicrosOf } from './process-group.ts';
import { startContender, startLatchkey } from './servers.ts';
import type { Server } from './servers.ts';
import type { Stage } from './stage.ts';
import { pageByJwt } from './product-works.ts';
import type { Asked } from './wrk.ts';
import type { Asks, Work } from './work.ts';

// A login is little but its hash, and hashes are for all cores: here everybody runs on all of them. What is done in
// some time is too few to be counted; so that as much as a machine does in about that time is given out, and the time
// is taken until all of it is done.

const CORES = os.availableParallelism();
const CLIENTS = 2 * CORES;
/** Logins that a core is given out for each second. */
const PER_CORE = 4;
const BARE = path.join(import.meta.dirname, 'bare-bcrypt.ts');

export const PAGES_BESIDE = 'product pages at 100/s beside the logins';
const PAGE_RATE = 100;

const loggedIn: Asks = {
  // Those of production, but on all cores.
  settings: {},
  due: 200,
  requests: async ({ deps }) => {
    const password = randomBytes(12).toString('hex');
    const username = `bench-login-${randomBytes(6).toString('hex')}`;
    await insertUser({ username, password: await hashPassword(password, deps.config) }, deps.db);
    return [{ method: 'POST', path: '/login/', json: { username, password } }];
  },
};

export const login: Work = {
  name: 'login',
  title: 'Login, bcrypt of cost 12, on all cores',
  seconds: 4,
  asks: loggedIn,
  open: async (stage, scope) => {
    const latchkey = await startLatchkey(stage.url, {}, scope, { core: 'all' });
    const asked = inTurn(await loggedIn.requests(stage, 1), 0);
    const pages = await pageByJwt.requests(stage, 1);
    const lanes: Lane[] = [
      loginLane(latchkey, asked),
      { label: 'bare bcrypt.compare', measure: (seconds) => bareBcrypt(seconds, stage) },
      {
        label: PAGES_BESIDE,
        measure: (seconds) => pagesBesideLogins(latchkey, { asked, pages, seconds }),
      },
    ];
    const drf = await drfLogin(stage, scope);
    return drf ? [...lanes, drf] : lanes;
  },
};

async function drfLogin(stage: Stage, scope: Scope): Promise<Lane | undefined> {
  if (!isInstalled('drf')) return undefined;
  const { login: json } = await prepareDrf(stage.url, 1);
  const server = await startContender('drf', stage.url, scope, {}, 'all');
  return loginLane(server, { method: 'POST', path: '/login/', json });
}

function loginLane(server: Server, asked: Asked): Lane {
  return {
    label: server.label,
    measure: async (seconds) => {
      const count = seconds * PER_CORE * CORES;
      const before = cpuMicrosOf(server.group);
      const start = performance.now();
      const latencies = await askAll(server, asked, count);
      return {
        ...sampleOf(latencies, performance.now() - start),
        cpuMicros: (cpuMicrosOf(server.group) - before) / count,
      };
    },
  };
}

/** Milliseconds of each answer. */
async function askAll(server: Server, asked: Asked, count: number): Promise<number[]> {
  const latencies: number[] = [];
  await inLanes(Array<Asked>(count).fill(asked), CLIENTS, async (one) => {
    latencies.push(await timed(server, one));
  });
  return latencies;
}

async function timed({ origin, label }: Server, { path: target, ...how }: Asked): Promise<number> {
  const start = performance.now();
  const { status, text } = await exchange(origin, target, how);
  if (status !== 200) throw new Error(`${label} answers ${status}: ${text}`);
  return performance.now() - start;
}

function sampleOf(latencies: readonly number[], milliseconds: number): Sample {
  return {
    rate: (latencies.length * 1000) / milliseconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/** In a process that does nothing else. */
async function bareBcrypt(seconds: number, { deps }: Stage): Promise<Sample> {
  const count = seconds * PER_CORE * CORES;
  const args = [BARE, String(count), String(deps.config.BCRYPT_ROUNDS)];
  const running = startProcess(process.execPath, args);
  if ((await running.exit()) !== 0) throw new Error(`bare bcrypt failed:\n${running.output()}`);
  return { rate: (count * 1000) / Number(running.output()) };
}

/** At a rate of their own, whether or not answers come, for as long as there is a queue of logins. */
async function pagesBesideLogins(
  server: Server,
  { asked, pages, seconds }: { asked: Asked; pages: readonly Asked[]; seconds: number },
): Promise<Sample> {
  let isOver = false;
  const logins = askAll(server, asked, seconds * PER_CORE * CORES).finally(() => (isOver = true));
  const start = performance.now();
  const running: Promise<number>[] = [];
  for (let sent = 0; !isOver; sent += 1) {
    await pause(Math.max(0, start + (sent * 1000) / PAGE_RATE - performance.now()));
    const page = timed(server, inTurn(pages, sent));
    page.catch(() => {}); // told below
    running.push(page);
  }
  await logins;
  return sampleOf(await Promise.all(running), performance.now() - start);
}
