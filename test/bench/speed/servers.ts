import { freePort, startProcess } from '../processes.ts';
import type { Scope } from '../scope.ts';
import { SERVICE, becomesReady, serviceEnv } from '../service.ts';
import type { Settings } from '../service.ts';
import { temporaryDirectory } from '../temporary.ts';
import { CONTENDERS } from './contenders.ts';
import type { ContenderName } from './contenders.ts';
import { onCore } from './cores.ts';
import type { Core } from './cores.ts';

export interface Server {
  label: string;
  origin: string;
  /** Its process group. */
  group: number;
}

interface Start {
  label: string;
  command: string;
  args: string[];
  cwd: string;
  env: Settings;
  readiness: string;
  core: Core;
}

export function startLatchkey(
  databaseUrl: string,
  settings: Settings,
  scope: Scope,
  { label = 'Latchkey', core = 'servers', nodeArgs = [] as string[] }: LatchkeyOptions = {},
): Promise<Server> {
  return start(
    {
      label,
      command: process.execPath,
      args: [...nodeArgs, ...SERVICE],
      cwd: temporaryDirectory(),
      env: serviceEnv(databaseUrl, { ...LONG_LIVED, ...COUNTED, ...settings }),
      readiness: '/readyz',
      core,
    },
    scope,
  );
}

interface LatchkeyOptions {
  label?: string;
  core?: Core;
  nodeArgs?: string[];
}

/** No token of a run may expire in it. */
export const LONG_LIVED = { ACCESS_TOKEN_LIFETIME: '1d', REFRESH_TOKEN_LIFETIME: '2d' };

// Limits count as they do in production, and are high enough for one user who logs in on every connection.
const COUNTED = {
  THROTTLE_ENABLED: 'true',
  THROTTLE_GUESS: '10000/m',
  THROTTLE_ACCOUNT: '10000/m',
  THROTTLE_LOGIN: '10000/m',
};

export function startContender(
  name: ContenderName,
  databaseUrl: string,
  scope: Scope,
  settings: Settings = {},
  core: Core = 'servers',
): Promise<Server> {
  const { NODE_ENV = '', SIGNING_KEY = '', PATH = '' } = serviceEnv(databaseUrl, {});
  const env = { PATH, NODE_ENV, SIGNING_KEY, DATABASE_URL: databaseUrl, ...settings };
  return start({ ...CONTENDERS[name], env, readiness: '/healthz', core }, scope);
}

async function start(
  { label, command, args, cwd, env, readiness, core }: Start,
  scope: Scope,
): Promise<Server> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const running = startProcess(...onCore(core, command, args), {
    cwd,
    env: { ...env, HOST: '127.0.0.1', PORT: String(port) },
  });
  scope.onClose(async () => {
    if (!running.hasLeft()) await running.end('SIGTERM');
  });
  await becomesReady(origin, running, readiness);
  return { label, origin, group: running.pid };
}
