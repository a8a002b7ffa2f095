import path from 'node:path';
import { goBuild, javac, mypy, node, python, tsc } from './client.ts';
import type { Place, TestedClient } from './client.ts';
import type { Command } from './commands.ts';
import {
  go,
  installed,
  installedPackage,
  java,
  python as pythonHere,
  ROOT,
  TOOLS,
  typescript,
  VENV,
} from './installed.ts';

const TWIN = path.join(ROOT, 'generated/openapi-3.0.json');
const OAPI_CODEGEN = path.join(TOOLS, 'oapi-codegen');
const OPENAPI_GENERATOR = path.join(VENV, 'openapi-generator-cli');
const OPENAPI_PYTHON_CLIENT = path.join(VENV, 'openapi-python-client');
// A fixed version, as of everything else that is fetched.
const COPY_JARS = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

const types = installedPackage('openapi-typescript');
const fetch = installedPackage('openapi-fetch');
const openapiGenerator = installed('openapi-generator', OPENAPI_GENERATOR, 'version');

/** Those that are generated for the test alone, from the twin for older tools where the generator is one. */
export const otherClients: TestedClient[] = [
  {
    folder: 'openapi-fetch',
    language: typescript,
    generator: {
      name: 'openapi-typescript, openapi-fetch',
      version: `${types.version}, ${fetch.version}`,
    },
    note: 'Of `generated/openapi.ts`. Pages are walked by hand.',
    build: (place) => [tsc(place)],
    start: node,
    generated: () => path.join(ROOT, 'generated/openapi.ts'),
  },
  {
    folder: 'openapi-generator-python',
    language: pythonHere,
    generator: openapiGenerator,
    note: 'Of the 3.0 twin. Its models refuse bad values themselves. Pages are walked by hand.',
    build: (place) => [
      openapiGenerate(place, 'python', '--package-name=latchkey'),
      mypy(place, `${place.work}/client`, '--follow-imports=silent'),
    ],
    start: (place) => python(place, `${place.work}/client`),
    generated: ({ work }) => `${work}/client/latchkey/api/*.py`,
  },
  {
    folder: 'openapi-python-client',
    language: pythonHere,
    generator: installed('openapi-python-client', OPENAPI_PYTHON_CLIENT, '--version'),
    note: 'Of the 3.0 twin: of bodies in several media types it makes code that does not run. Pages are walked by hand.',
    build: (place) => [
      {
        words: [
          OPENAPI_PYTHON_CLIENT,
          ...['generate', '--path', TWIN, '--output-path', 'latchkey', '--meta', 'none'],
        ],
        directory: place.work,
        // It formats what it writes by a tool that it looks for there.
        env: { PATH: `${VENV}${path.delimiter}${process.env.PATH}` },
      },
      mypy(place, place.work, '--follow-imports=silent'),
    ],
    start: (place) => python(place, place.work),
    generated: ({ work }) => `${work}/latchkey/api/*/*.py`,
  },
  {
    folder: 'oapi-codegen',
    language: go,
    generator: installed('oapi-codegen', OAPI_CODEGEN, '-version'),
    note: 'Of the 3.0 twin. Each status has a field of its type in the answer. Pages are walked by hand.',
    build: ({ folder, work }) => [
      { words: ['cp', 'main.go', 'go.mod', 'go.sum', work], directory: folder },
      { words: ['mkdir', 'latchkey'], directory: work },
      {
        words: [
          OAPI_CODEGEN,
          ...['-package=latchkey', '-generate=types,client', '-o=latchkey/latchkey.go', TWIN],
        ],
        directory: work,
      },
      ...goBuild(work, 'program'),
    ],
    start: ({ work }) => ({ words: ['./program'], directory: work }),
    generated: ({ work }) => `${work}/latchkey/*.go`,
  },
  {
    folder: 'openapi-generator-java',
    language: java,
    generator: openapiGenerator,
    tools: [installed('Maven', 'mvn', '--version')],
    note: 'Of the 3.0 twin, with `--library native`. Credentials are set by an interceptor; the body of a refusal is to be read as its type.',
    build: (place) => [
      openapiGenerate(
        place,
        'java',
        '--library=native',
        '--additional-properties=invokerPackage=latchkey,apiPackage=latchkey.api,modelPackage=latchkey.model',
      ),
      {
        words: ['mvn', '-q', '-B', COPY_JARS, `-DoutputDirectory=${place.work}/jars`],
        directory: place.folder,
      },
      javac(place, `${place.work}/client/src/main/java`, '-cp', `${place.work}/jars/*`),
    ],
    start: ({ work }) => ({
      words: ['java', '-cp', ['classes', 'jars/*'].join(path.delimiter), 'Program'],
      directory: work,
    }),
    generated: ({ work }) => `${work}/client/src/main/java/latchkey/api/*.java`,
  },
];

function openapiGenerate({ work }: Place, generator: string, ...options: string[]): Command {
  const words = [OPENAPI_GENERATOR, 'generate', '-g', generator, '-i', TWIN, '-o', 'client'];
  return { words: [...words, ...options], directory: work };
}
