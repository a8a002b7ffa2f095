import path from 'node:path';
import { goBuild, javac, mypy, node, python, tsc } from './client.ts';
import type { TestedClient } from './client.ts';
import { go, installedPackage, java, python as pythonHere, ROOT, typescript } from './installed.ts';

const { version } = installedPackage('@redocly/cli');
const generator = { name: 'Redocly `generate-client`', version };

/** Those that are committed. */
export const redoclyClients: TestedClient[] = [
  {
    folder: 'redocly-typescript',
    language: typescript,
    generator,
    note: 'Needs `dom` among the `lib` of its tsconfig.json.',
    build: (place) => [tsc(place)],
    start: node,
    generated: () => `${committed('typescript')}/**/*.ts`,
  },
  {
    folder: 'redocly-python',
    language: pythonHere,
    generator,
    note: 'Needs `httpx`. A refusal is raised: `decode(ProductErrors, error.body)` gives it its type.',
    build: (place) => [mypy(place, committed('python'))],
    start: (place) => python(place, committed('python')),
    generated: () => `${committed('python')}/**/*.py`,
  },
  {
    folder: 'redocly-go',
    language: go,
    generator,
    note: 'Needs no module. A refusal is an `*APIError`, whose body is to be unmarshalled as its type.',
    build: ({ folder, work }) => goBuild(folder, `${work}/program`),
    start: ({ work }) => ({ words: [`${work}/program`], directory: work }),
    generated: () => `${committed('go')}/**/*.go`,
  },
  {
    folder: 'redocly-java',
    language: java,
    generator,
    note: 'Needs no library. A refusal is thrown: `ProductErrors.fromJson(refusal.body)` gives it its type.',
    build: (place) => [javac(place, committed('java'), '-Xlint:all', '-Werror')],
    start: ({ work }) => ({ words: ['java', '-cp', 'classes', 'Program'], directory: work }),
    generated: () => `${committed('java')}/**/*.java`,
  },
];

function committed(language: string): string {
  return path.join(ROOT, 'generated/clients', language);
}
