import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { inspect } from 'node:util';
import { ConfigError, environment, loadConfig, settingTexts } from './config.ts';
import type { Config } from './config.ts';
import { OperatorError } from './errors.ts';
import { leaveAfter, onStopSignal } from './leaving.ts';
import { prometheusFor, serveMetrics } from './metrics/metrics-server.ts';
import { createLog } from './log.ts';
import { runPrimary, workerCount } from './primary.ts';
import { welcome } from './welcome.ts';
import { runWorker } from './worker.ts';

const EXIT_CONFIG = 78; // EX_CONFIG of sysexits.h

async function start(): Promise<void> {
  const env = environment();
  // The secrets are taken out of the environment, and workers need them too.
  const copy = { ...env };
  const config = loadConfig(env);
  const workers = workerCount(config, availableParallelism());
  if (workers > 1) await runPrimary(workers, settingTexts(copy), config);
  else await runAlone(config);
}

async function runAlone(config: Config): Promise<void> {
  // Loaded here, since the primary of several workers serves nobody.
  const { serve } = await import('./serve.ts');
  const log = createLog(config);
  const prometheus = await prometheusFor(config);
  if (prometheus) await serveMetrics(prometheus.registry, config, log);
  const { stop, ...started } = await serve(config, log, {
    hashingSlots: availableParallelism(),
    prometheus,
  });
  onStopSignal((signal) => {
    log.info({ signal }, 'stopping');
    leaveAfter(stop, config, log);
  });
  welcome({ ...started, config }, log);
  flushCompileCache();
}

function explain(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return 'The port is taken: stop the other process, or set PORT (for metrics METRICS_PORT) to another one.';
  if (code === 'EADDRNOTAVAIL') return 'HOST is no address of this machine.';
  return inspect(error);
}

try {
  await (cluster.isWorker ? runWorker() : start());
} catch (error) {
  const failure = {
    message: explain(error),
    exitCode: error instanceof ConfigError ? EXIT_CONFIG : 1,
  };
  // The primary tells it, once for all workers.
  if (cluster.isWorker)
    process.send?.({ failure }, undefined, {}, () => process.exit(failure.exitCode));
  else {
    console.error(failure.message);
    process.exitCode = failure.exitCode;
  }
}
