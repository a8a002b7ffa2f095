import { createRequire } from 'node:module';
import path from 'node:path';
import { versionOf } from './commands.ts';
import type { Command } from './commands.ts';

export interface Place {
  /** The client's folder here. */
  folder: string;
  /** An empty directory, for all that is made on the way. */
  work: string;
}

export interface TestedClient {
  folder: string;
  generator: string;
  language: Language;
  /** The generator's; undefined where it is not installed. */
  version: string | undefined;
  /** What its users have to know. */
  note?: string;
  /** Generates what is not committed, checks types and compiles. */
  build: (place: Place) => Command[];
  start: (place: Place) => Command;
  /** Where the generated code is. */
  generated: (place: Place) => string;
}

const ROOT = path.join(import.meta.dirname, '../..');
const PYTHON = path.join(ROOT, '.venv/bin/python');
const TSC = path.join(ROOT, 'node_modules/.bin/tsc');

type Language = 'TypeScript' | 'Python' | 'Go' | 'Java';

/** What is here of each language; undefined where it is not installed. */
export const languages: Record<Language, string | undefined> = {
  TypeScript: packageVersion('typescript'),
  Python: versionOf(PYTHON, '--version'),
  Go: versionOf('go', 'version'),
  Java: versionOf('javac', '-version'),
};

const redocly = {
  generator: 'Redocly `generate-client`',
  version: packageVersion('@redocly/cli'),
};

export const clients: TestedClient[] = [
  {
    ...redocly,
    folder: 'redocly-typescript',
    language: 'TypeScript',
    note: 'Needs `dom` among the `lib` of its tsconfig.json.',
    build: ({ folder }) => [{ words: [TSC, '--project', '.'], directory: folder }],
    start: ({ folder }) => ({ words: [process.execPath, 'program.ts'], directory: folder }),
    generated: () => committed('typescript'),
  },
  {
    ...redocly,
    folder: 'redocly-python',
    language: 'Python',
    note: 'Needs `httpx`. A refusal is thrown; `decode(ProductErrors, error.body)` gives it its type.',
    build: (place) => [mypy(place, committed('python'))],
    start: (place) => python(place, committed('python')),
    generated: () => committed('python'),
  },
  {
    ...redocly,
    folder: 'redocly-go',
    language: 'Go',
    note: 'Needs no module. A refusal is an error whose body is to be unmarshalled by its type.',
    build: ({ folder, work }) => [
      { words: ['go', 'vet', '.'], directory: folder },
      { words: ['go', 'build', '-o', `${work}/program`, '.'], directory: folder },
    ],
    start: ({ work }) => ({ words: [`${work}/program`], directory: work }),
    generated: () => committed('go'),
  },
  {
    ...redocly,
    folder: 'redocly-java',
    language: 'Java',
    note: 'Needs no library. A refusal is thrown; `ProductErrors.fromJson(refusal.body)` gives it its type.',
    build: ({ folder, work }) => [
      {
        words: [
          'javac',
          '-Xlint:all',
          '-Werror',
          '-d',
          work,
          '-cp',
          committed('java'),
          'Program.java',
        ],
        directory: folder,
      },
    ],
    start: ({ work }) => ({ words: ['java', '-cp', work, 'Program'], directory: work }),
    generated: () => committed('java'),
  },
];

function committed(language: string): string {
  return path.join(ROOT, 'generated/clients', language);
}

function packageVersion(name: string): string {
  return createRequire(import.meta.url)(`${name}/package.json`).version;
}

function mypy({ folder, work }: Place, sources: string): Command {
  const words = [PYTHON, '-m', 'mypy', '--strict', `--cache-dir=${work}/mypy`, 'program.py'];
  return { words, directory: folder, env: { MYPYPATH: sources } };
}

function python({ folder }: Place, sources: string): Command {
  const env = { PYTHONPATH: sources, PYTHONDONTWRITEBYTECODE: '1' };
  return { words: [PYTHON, 'program.py'], directory: folder, env };
}
