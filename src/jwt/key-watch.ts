import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { MANIFEST, readKeys } from '../key-directory.ts';
import { replaceKeyring } from './keys.ts';

/** The part of a log that is used here. */
interface Log {
  info: (facts: object, message: string) => void;
  error: (facts: object, message: string) => void;
}

const INTERVAL_MS = 1000;

const troubled = new WeakSet<Config>();

/** Whether the keys in use are those of KEYS_DIR, as far as the last look at it could tell. */
export const keysAreHealthy = (config: Config): boolean => !troubled.has(config);

/**
 * Looks at KEYS_DIR each second, and puts its keys to use when they have changed. What cannot be read
 * changes nothing, is logged once, and is tried again at the next look.
 */
export function watchKeys(
  config: Config,
  log: Log,
  { interval = INTERVAL_MS } = {},
): { stop: () => void } {
  const { KEYS_DIR: directory } = config;
  if (directory === undefined) return { stop: () => {} };
  const manifest = path.join(directory, MANIFEST);
  let isStopped = false;
  let seen: string | undefined;
  let lastProblem: string | undefined;

  const look = async (): Promise<void> => {
    try {
      // Looked at before the keys are read: a change in between is seen as one at the next look.
      const version = await versionOf(manifest);
      if (isStopped || version === seen) return;
      const { kid, algorithm } = replaceKeyring(config, readKeys(directory));
      log.info({ kid, algorithm }, 'signing keys read');
      seen = version;
      lastProblem = undefined;
      troubled.delete(config);
    } catch (error) {
      seen = undefined;
      troubled.add(config);
      const problem = String(error);
      if (problem !== lastProblem)
        log.error({ err: error }, 'signing keys cannot be read: the former ones stay in use');
      lastProblem = problem;
    }
  };
  const goOn = async (): Promise<void> => {
    await look();
    if (!isStopped) setTimeout(() => void goOn(), interval).unref();
  };
  void goOn();
  return {
    stop: () => {
      isStopped = true;
    },
  };
}

// A new file has another inode, and one that took over a freed inode another time.
async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join();
}
