import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../../src/config.ts';
import { connect } from '../../src/db.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { createLog } from '../../src/log.ts';
import { startLive } from '../../src/revocation/live.ts';
import { NO_METRICS } from '../../src/metrics/metrics.ts';
import { createThrottle } from '../../src/throttle/throttle.ts';
import { migrateLatest } from '../../src/schema.ts';
import { randomSecret } from '../../src/secrets.ts';
import { exchange } from './http-client.ts';
import { freePort, startProcess } from './processes.ts';
import type { RunningProcess } from './processes.ts';
import type { Scope } from './scope.ts';
import { temporaryDirectory } from './temporary.ts';

export const ROOT = path.join(import.meta.dirname, '../..');
/** What Node is given to serve, as the README has it for production. */
export const SERVICE = [
  '--max-semi-space-size=16',
  '--heap-growing-percent=50',
  path.join(ROOT, 'src/server.ts'),
];
const READY_MS = 30_000;
const LOOK_MS = 20;

export type Settings = Record<string, string>;

/** A server process of the service. */
export interface Replica {
  origin: string;
  /** Resolves when it is ready. After a kill: at the same port. */
  start: () => Promise<void>;
  /** SIGKILL: whatever it was doing is left as it is. */
  kill: () => Promise<void>;
  /** Its exit code; undefined where it did not run. */
  stop: () => Promise<number | null | undefined>;
  hasLeft: () => boolean;
  /** Of its processes. */
  group: () => number;
}

const SECRETS = { SECRET_KEY: randomSecret(), SIGNING_KEY: randomSecret() };

/**
 * An environment for the service and its commands, as in production; the same secrets for all of them. Without a
 * database's URL for the embedded one.
 */
export function serviceEnv(databaseUrl: string | undefined, settings: Settings): Settings {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    // What is measured is guessing itself, more often than not.
    THROTTLE_ENABLED: 'false',
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    DATA_DIR: path.join(temporaryDirectory(), 'data'),
    ...SECRETS,
    ...settings,
  };
}

/** What most figures run on. */
export interface Stage {
  deps: RequestDeps;
  replicas: Replica[];
}

/** Replicas of one configuration on one database, and the harness' own way into it. */
export async function openStage(
  databaseUrl: string,
  settings: Settings,
  { replicas: count }: { replicas: number },
  scope: Scope,
): Promise<Stage> {
  const deps = await openDatabase(databaseUrl, settings, scope);
  const urls = Array<string>(count).fill(databaseUrl);
  return { deps, replicas: await startReplicas(urls, settings, scope) };
}

/** `npm run manage -- <command>`, as a process of its own. */
export function startCommand(
  command: string,
  databaseUrl: string,
  settings: Settings,
  scope: Scope,
): RunningProcess {
  const running = startProcess(process.execPath, [path.join(ROOT, 'src/cli.ts'), command], {
    env: serviceEnv(databaseUrl, settings),
    cwd: temporaryDirectory(),
  });
  scope.onClose(async () => {
    if (!running.hasLeft()) await running.end('SIGTERM');
  });
  return running;
}

/** The harness' own way into the migrated database, configured as the replicas are. */
export async function openDatabase(
  databaseUrl: string,
  settings: Settings,
  scope: Scope,
): Promise<RequestDeps> {
  const config = loadConfig(serviceEnv(databaseUrl, settings));
  const database = await connect(config, { statementTimeout: 0, connectTimeout: 30_000 });
  const { db } = database;
  scope.onClose(database.close);
  await migrateLatest(db);
  // Sessions are opened here and none is judged, so nothing has to be followed beside the replicas.
  const log = createLog(config);
  const live = await startLive(database, config, log);
  await live.stop();
  const throttle = await createThrottle(config, db, log);
  return { config, db, now: () => new Date(), live, throttle, metrics: NO_METRICS };
}

/** One replica for each database URL, which may all be the same; ready when this resolves. */
export async function startReplicas(
  databaseUrls: (string | undefined)[],
  settings: Settings,
  scope: Scope,
): Promise<Replica[]> {
  const replicas = await Promise.all(
    databaseUrls.map((url) => createReplica(serviceEnv(url, settings))),
  );
  scope.onClose(() => Promise.all(replicas.map(({ stop }) => stop())));
  await Promise.all(replicas.map(({ start }) => start()));
  return replicas;
}

async function createReplica(settings: Settings): Promise<Replica> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  let running: RunningProcess | undefined;
  return {
    origin,
    start: async () => {
      running = startProcess(process.execPath, SERVICE, {
        env: { ...settings, PORT: String(port) },
        cwd: temporaryDirectory(),
      });
      await becomesReady(origin, running);
    },
    kill: async () => running?.end('SIGKILL'),
    stop: async () => {
      if (running && !running.hasLeft()) await running.end('SIGTERM');
      return running?.exit();
    },
    hasLeft: () => running?.hasLeft() ?? true,
    group: () => running?.pid ?? 0,
  };
}

/** Resolves when the server answers with a 200 at the path. */
export async function becomesReady(
  origin: string,
  server: RunningProcess,
  readiness = '/readyz',
): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await isReady(origin, readiness))) {
    if (server.hasLeft()) throw new Error(`a server has left:\n${server.output()}`);
    if (performance.now() > deadline)
      throw new Error(`a server is not ready in time:\n${server.output()}`);
    await pause(LOOK_MS);
  }
}

async function isReady(origin: string, readiness: string): Promise<boolean> {
  try {
    return (await exchange(origin, readiness)).status === 200;
  } catch {
    return false; // not listening yet
  }
}
