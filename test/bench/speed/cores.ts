import { execFileSync } from 'node:child_process';
import os from 'node:os';

/** Servers have one core to themselves; what asks them, and the database, have the other. */
export type Core = 'servers' | 'load' | 'all';

const NUMBERS: Record<Exclude<Core, 'all'>, string> = { servers: '0', load: '1' };

export const isPinned = os.availableParallelism() >= 2 && hasTaskset();

/** The command that runs the command there, where the system can say so. */
export function onCore(core: Core, command: string, args: string[]): [string, string[]] {
  if (core === 'all' || !isPinned) return [command, args];
  return ['taskset', ['-c', NUMBERS[core], command, ...args]];
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
