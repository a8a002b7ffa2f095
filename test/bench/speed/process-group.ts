import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

// A server may be several processes: gunicorn's, or our own with WORKERS. Each is started in a process group of its
// own, so that /proc tells what all of them use.

const number = (name: string): number =>
  Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
const MICROSECONDS_PER_TICK = 1_000_000 / number('CLK_TCK');
const PAGE_BYTES = number('PAGESIZE');

/** Of one process, from `/proc/PID/stat`. */
export interface ProcessUse {
  group: number;
  cpuMicros: number;
  rssBytes: number;
}

/** Fields of proc(5), after the name in parentheses, which may hold anything. */
export function readStat(text: string): ProcessUse {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // The first of these is field 3.
  const field = (index: number): number => Number(fields[index - 3]);
  return {
    group: field(5),
    cpuMicros: (field(14) + field(15)) * MICROSECONDS_PER_TICK,
    rssBytes: field(24) * PAGE_BYTES,
  };
}

export function processesOf(group: number): ProcessUse[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(pid))
    .filter((use) => use.group === group);
}

/** User and system time of all threads of all of its processes so far. */
export function cpuMicrosOf(group: number): number {
  return processesOf(group).reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
}

// It may leave while the list is read.
function statOf(pid: string): ProcessUse[] {
  try {
    return [readStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
  } catch {
    return [];
  }
}
