import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import type { Config } from './config.ts';
import { CLOSE_MS, DRAIN_MS, onStopSignal } from './leaving.ts';
import { createLog } from './log.ts';
import { serveMetrics } from './metrics/metrics-server.ts';
import { welcome } from './welcome.ts';
import type { Assignment, Failure, ToPrimary, ToWorker } from './worker.ts';

type Settings = Assignment['settings'];

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
// Who served for so long did not crash for the reason of the time before.
const STEADY_MS = 30_000;
const KILL_AFTER_MS = DRAIN_MS + CLOSE_MS + 500; // and DRAIN_DELAY

/** How many processes serve. `auto` takes no more than the database has connections for. */
export function workerCount(
  {
    WORKERS,
    DATABASE_URL,
    DATABASE_POOL_SIZE,
  }: Pick<Config, 'WORKERS' | 'DATABASE_URL' | 'DATABASE_POOL_SIZE'>,
  cores: number,
): number {
  if (WORKERS !== 'auto') return WORKERS;
  return DATABASE_URL === undefined ? 1 : Math.min(cores, DATABASE_POOL_SIZE);
}

/** The parts, as equal as can be, of what several processes have together; none is less than 1. */
export function divided(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, index) =>
    Math.max(1, Math.floor(total / parts) + (index < total % parts ? 1 : 0)),
  );
}

/**
 * Starts the workers and keeps them running, and says that the service listens when all of them do. Where one cannot
 * start at first, none does; later it is started anew, ever less often if that does not help.
 */
export async function runPrimary(count: number, settings: Settings, config: Config): Promise<void> {
  const log = createLog(config);
  const assignments = assign(count, settings, config);
  const running = new Set<Worker>();
  let missing = count; // of those that have to listen before the service does
  let exitCode: number | undefined; // set when it stops

  function stop(code: number): void {
    exitCode = code;
    for (const worker of running) say(worker, { stop: true });
    setTimeout(kill, config.DRAIN_DELAY * 1000 + KILL_AFTER_MS).unref();
    leaveIfDone();
  }
  function kill(): void {
    for (const worker of running) worker.process.kill('SIGKILL');
  }
  function leaveIfDone(): void {
    if (exitCode !== undefined && running.size === 0) process.exit(exitCode);
  }

  function run(assignment: Assignment, pause = FIRST_PAUSE_MS): void {
    const worker = cluster.fork();
    running.add(worker);
    let listeningSince: number | undefined;
    let failure: Failure | undefined;
    worker.on('message', (message: ToPrimary) => {
      if ('ready' in message) say(worker, exitCode === undefined ? { assignment } : { stop: true });
      else if ('failure' in message) ({ failure } = message);
      else if ('listening' in message) {
        listeningSince = performance.now();
        missing -= 1;
        if (missing === 0) welcome({ ...message.listening, workers: count, config }, log);
      }
    });
    worker.on('error', (error) => log.error({ err: error }, 'a worker cannot be reached'));
    worker.on('exit', (code, signal) => {
      running.delete(worker);
      if (exitCode !== undefined) {
        if (code !== 0) exitCode ||= 1;
        leaveIfDone();
      } else if (missing > 0) {
        const how = signal ? `by ${signal}` : `with code ${code}`;
        console.error(failure?.message ?? `A worker left ${how} before the service was started.`);
        stop(failure?.exitCode ?? 1);
      } else {
        const { worker: number } = assignment;
        const wasSteady =
          listeningSince !== undefined && performance.now() - listeningSince > STEADY_MS;
        const wait = wasSteady ? FIRST_PAUSE_MS : pause;
        const reason = failure?.message;
        log.error({ worker: number, code, signal, reason, wait }, 'a worker left and is replaced');
        setTimeout(() => {
          if (exitCode === undefined) run(assignment, Math.min(2 * wait, LONGEST_PAUSE_MS));
        }, wait);
      }
    });
  }

  onStopSignal((signal) => {
    log.info({ signal }, 'stopping');
    stop(0);
  }, kill);
  if (config.METRICS_PORT !== undefined) {
    const { metricsOfWorkers } = await import('./metrics/prometheus.ts');
    await serveMetrics(metricsOfWorkers(), config, log);
  }
  for (const assignment of assignments) run(assignment);
}

// What one process would have for itself they have together: the connections that the database was told to expect,
// and the cores for hashing.
function assign(count: number, settings: Settings, config: Config): Assignment[] {
  const connections = divided(config.DATABASE_POOL_SIZE, count);
  const slots = divided(availableParallelism(), count);
  return connections.map((DATABASE_POOL_SIZE, index) => ({
    worker: index + 1,
    settings: { ...settings, WORKERS: '1', DATABASE_POOL_SIZE: String(DATABASE_POOL_SIZE) },
    hashingSlots: slots[index] ?? 1,
  }));
}

function say(worker: Worker, message: ToWorker): void {
  // One that is leaving hears nothing any more, and its end is told by an event of its own.
  if (worker.isConnected()) worker.send(message, () => {});
}
