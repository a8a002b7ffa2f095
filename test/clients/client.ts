import path from 'node:path';
import type { Command } from './commands.ts';
import { ROOT, VENV } from './installed.ts';
import type { Installed } from './installed.ts';

export interface Place {
  /** The client's folder here. */
  folder: string;
  /** An empty directory, for all that is made on the way. */
  work: string;
}

export interface TestedClient {
  folder: string;
  language: Installed;
  generator: Installed;
  /** What it takes besides. */
  tools?: Installed[];
  /** What its users have to know. */
  note?: string;
  /** Generates what is not committed, checks types and compiles. */
  build: (place: Place) => Command[];
  start: (place: Place) => Command;
  /** A pattern for the files of the generated code. */
  generated: (place: Place) => string;
}

export function tsc({ folder }: Place): Command {
  return { words: [path.join(ROOT, 'node_modules/.bin/tsc'), '--project', '.'], directory: folder };
}

export function node({ folder }: Place): Command {
  return { words: [process.execPath, 'program.ts'], directory: folder };
}

const PYTHON = path.join(VENV, 'python');

/** Checks the types of the program, and of the client only as far as it is told to. */
export function mypy({ folder, work }: Place, sources: string, ...options: string[]): Command {
  const cache = `--cache-dir=${work}/mypy`;
  const words = [PYTHON, '-m', 'mypy', '--strict', cache, ...options, 'program.py'];
  return { words, directory: folder, env: { MYPYPATH: sources } };
}

export function python({ folder }: Place, sources: string): Command {
  const env = { PYTHONPATH: sources, PYTHONDONTWRITEBYTECODE: '1' };
  return { words: [PYTHON, 'program.py'], directory: folder, env };
}

export function goBuild(directory: string, program: string): Command[] {
  return [
    { words: ['go', 'vet', './...'], directory },
    { words: ['go', 'build', '-o', program, '.'], directory },
  ];
}

export function javac({ folder, work }: Place, sources: string, ...options: string[]): Command {
  const words = [
    'javac',
    // Java before 18 reads sources in the encoding of the locale.
    '-encoding',
    'UTF-8',
    '-d',
    `${work}/classes`,
    '-sourcepath',
    sources,
    ...options,
    'Program.java',
  ];
  return { words, directory: folder };
}
