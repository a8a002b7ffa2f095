import { createRequire } from 'node:module';
import pino from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type PrettyStream from 'pino-pretty';
import type { Config } from './config.ts';

/** JSON lines on stdout, with `facts` in each; on a developer's terminal, lines for people. */
export function createLog(
  { LOG_LEVEL, NODE_ENV }: Config,
  facts: Record<string, unknown> | null = null,
): Logger {
  const forPeople = process.stdout.isTTY && NODE_ENV !== 'production';
  return pino({ level: LOG_LEVEL, base: facts }, forPeople ? terminal() : stdout());
}

function terminal(): DestinationStream {
  // Loaded for a terminal only.
  const pretty: typeof PrettyStream = createRequire(import.meta.url)('pino-pretty');
  return pretty({
    sync: true,
    singleLine: true,
    translateTime: 'HH:MM:ss',
    ignore: 'pid,hostname',
  });
}

// What a pipe keeps in one piece, also where several workers write into it: no line is torn.
const PIPE_BUF = 4096;
const LONGEST_WAIT_MS = 100;

let destination: ReturnType<typeof pino.destination> | undefined;

// One for the process. A write for each line would be a third of what a line costs, so that they go out together, and
// what waits goes out before the process ends for whatever reason it can still hear of.
function stdout(): DestinationStream {
  if (!destination) {
    const made = pino.destination({
      sync: true,
      minLength: PIPE_BUF / 2,
      maxWrite: PIPE_BUF,
      periodicFlush: LONGEST_WAIT_MS,
    });
    process.on('exit', () => made.flushSync());
    destination = made;
  }
  return destination;
}
