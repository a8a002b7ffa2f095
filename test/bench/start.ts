import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { below, measured, percentile } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { send } from './http-client.ts';
import { startPostgres } from './postgres.ts';
import { freePort, startProcess } from './processes.ts';
import type { Scope } from './scope.ts';
import { openDatabase, SERVICE, serviceEnv } from './service.ts';
import type { Settings } from './service.ts';

// A process is started on a migrated database and asked for /readyz without a pause until it answers 200: what is
// measured begins before the process is made. In each round once with what a former start has compiled, once where
// there is nothing yet, and once where nothing can be kept.

const LOOK_MS = 2;
const GOAL_MS = 400;

export const start: Figure = {
  name: 'start',
  summary: 'A replica is ready soon after it was started',
  conditions:
    'from the start of the process to the first 200 of /readyz, medians, on a migrated server database',
  rounds: 15,
  expectedSeconds: 40,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    await openDatabase(url, {}, scope);
    const kept = cacheDirectory(scope);
    const states: Record<'warm' | 'cold' | 'none', () => Settings> = {
      warm: () => ({ NODE_COMPILE_CACHE: kept }),
      cold: () => ({ NODE_COMPILE_CACHE: cacheDirectory(scope) }),
      none: () => ({ NODE_DISABLE_COMPILE_CACHE: '1' }),
    };
    const times = { warm: [], cold: [], none: [] } as Record<keyof typeof states, number[]>;
    await startOnce(url, states.warm(), scope);
    const progress = startProgress('Starts', rounds);
    for (let round = 1; round <= rounds; round += 1) {
      for (const state of ['warm', 'cold', 'none'] as const)
        times[state].push(await startOnce(url, states[state](), scope));
      progress.advanceTo(round);
    }
    progress.stop();
    return findingsOf(times);
  },
};

function findingsOf({ warm, cold, none }: Record<'warm' | 'cold' | 'none', number[]>): Finding[] {
  return [
    below('ready, with what a former start compiled', percentile(warm, 0.5), GOAL_MS, 'ms'),
    measured('the same, quickest', Math.min(...warm), 'ms'),
    measured('ready, at the first start', percentile(cold, 0.5), 'ms'),
    measured('ready, where nothing can be kept', percentile(none, 0.5), 'ms'),
  ];
}

/** Milliseconds until it was ready; it is stopped by then. */
async function startOnce(url: string, settings: Settings, scope: Scope): Promise<number> {
  const port = await freePort();
  const env = { ...serviceEnv(url, settings), PORT: String(port) };
  const from = performance.now();
  const replica = startProcess(process.execPath, SERVICE, { env });
  scope.onClose(() => replica.hasLeft() || replica.end('SIGTERM'));
  while (!(await isReady(port))) {
    if (replica.hasLeft()) throw new Error(`a replica has left:\n${replica.output()}`);
    await pause(LOOK_MS);
  }
  const ms = performance.now() - from;
  await replica.end('SIGTERM');
  return ms;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await send(`http://127.0.0.1:${port}`, '/readyz')).status === 200;
  } catch {
    return false; // not listening yet
  }
}

function cacheDirectory(scope: Scope): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-cache-'));
  scope.onClose(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
