import type { Logger } from 'pino';
import type { Config } from './config.ts';

/** For how long requests that run may go on, and connections to the database may take to close after that. */
export const DRAIN_MS = 10_000;
export const CLOSE_MS = 3_000;

/** Calls `stop` at the first SIGTERM or SIGINT. A second one leaves at once, after `abort`. */
export function onStopSignal(stop: (signal: string) => void, abort = (): void => {}): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => {
      if (isStopping) {
        abort();
        process.exit(1);
      }
      isStopping = true;
      stop(signal);
    });
}

/** Leaves with 0 when `stop` is done, and with 1 where it fails or takes longer than it may after DRAIN_DELAY. */
export function leaveAfter(
  stop: () => Promise<void>,
  { DRAIN_DELAY }: Pick<Config, 'DRAIN_DELAY'>,
  log: Logger,
): void {
  setTimeout(() => process.exit(1), DRAIN_DELAY * 1000 + DRAIN_MS + CLOSE_MS).unref();
  stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, 'the database did not close');
      process.exit(1);
    },
  );
}
