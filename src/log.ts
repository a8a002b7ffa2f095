import pino from 'pino';
import type { Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

/** JSON lines on stdout; on a developer's terminal, lines for people. */
export function createLog({ LOG_LEVEL, NODE_ENV }: Config): Logger {
  const forPeople = process.stdout.isTTY && NODE_ENV !== 'production';
  const options = { level: LOG_LEVEL, base: null };
  return forPeople
    ? pino(
        options,
        pretty({ sync: true, singleLine: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' }),
      )
    : pino(options);
}
