import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

// A server may be several processes: gunicorn's, or our own with WORKERS. Each is started in a process group of its
// own, so that /proc tells what all of them use.

/** Of one process, from `/proc/PID/stat`, in the units of the system. */
export interface ProcessUse {
  group: number;
  ticks: number;
  pages: number;
}

/** Fields of proc(5), after the name in parentheses, which may hold anything. */
export function readStat(text: string): ProcessUse {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // The first of these is field 3.
  const field = (index: number): number => Number(fields[index - 3]);
  return { group: field(5), ticks: field(14) + field(15), pages: field(24) };
}

/** User and system time of all threads of all of its processes so far. */
export function cpuMicrosOf(group: number): number {
  return sumOf(group, ({ ticks }) => ticks) * (1e6 / unit('CLK_TCK'));
}

/** What all of its processes have in memory. */
export function residentBytesOf(group: number): number {
  return sumOf(group, ({ pages }) => pages) * unit('PAGESIZE');
}

function sumOf(group: number, read: (use: ProcessUse) => number): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf)
    .filter((use) => use.group === group)
    .reduce((sum, use) => sum + read(use), 0);
}

const units = new Map<string, number>();

function unit(name: string): number {
  const known = units.get(name) ?? Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
  units.set(name, known);
  return known;
}

// It may leave while the list is read.
function statOf(pid: string): ProcessUse[] {
  try {
    return [readStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
  } catch {
    return [];
  }
}
