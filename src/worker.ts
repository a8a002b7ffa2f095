import { flushCompileCache } from 'node:module';
import { loadConfig } from './config.ts';
import { leaveAfter } from './leaving.ts';
import { createLog } from './log.ts';
import { prometheusFor } from './metrics/metrics-server.ts';
import type { Service } from './serve.ts';

/** What the primary tells a worker. Secrets go this way, since the environment and argv of a process can be read. */
export interface Assignment {
  /** Its number, from 1 on. */
  worker: number;
  settings: Record<string, string>;
  hashingSlots: number;
}
export type ToWorker = { assignment: Assignment } | { stop: true };

/** Why a worker could not start, in a sentence for the operator. */
export interface Failure {
  message: string;
  exitCode: number;
}
export type ToPrimary =
  { ready: true } | { listening: Pick<Service, 'origin' | 'database'> } | { failure: Failure };

const tell = (message: ToPrimary): void => void process.send?.(message);

/** One of several processes that serve. It ends with its primary: so does Node when the channel between them breaks. */
export async function runWorker(): Promise<void> {
  let stop = (): void => process.exit(0); // nobody is served before it listens
  // A supervisor may send its signal to every process of the service, and a terminal does: those after the first,
  // and those beside the word of the primary, say nothing new.
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop());
  const { worker, settings, hashingSlots } = await new Promise<Assignment>((resolve) => {
    process.on('message', (message: ToWorker) => {
      if ('assignment' in message) resolve(message.assignment);
      else if ('stop' in message) stop();
    });
    tell({ ready: true });
  });

  const config = loadConfig(settings);
  const log = createLog(config, { worker });
  const { serve } = await import('./serve.ts');
  const prometheus = await prometheusFor(config, { isWorker: true });
  const service = await serve(config, log, { hashingSlots, prometheus });
  let isStopping = false;
  stop = () => {
    if (isStopping) return;
    isStopping = true;
    leaveAfter(service.stop, config, log);
  };
  tell({ listening: { origin: service.origin, database: service.database } });
  flushCompileCache();
}
