import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';

const ROOT = path.join(import.meta.dirname, '../..');
const CLIENTS = path.join(ROOT, 'generated/clients');
const GO_MODULE = 'module latchkey\n\ngo 1.23\n';

// The generator calls the client by the last part of the path, and turns its suffix into the language's.
const RUNS = [
  // Only TypeScript's calls can answer with a typed refusal instead of throwing an untyped one.
  {
    language: 'typescript',
    output: 'latchkey.ts',
    flags: ['--import-ext=ts', '--error-mode=result'],
  },
  { language: 'python', output: 'latchkey.ts', flags: [] },
  { language: 'go', output: 'latchkey.ts', flags: ['--go-package=latchkey'] },
  { language: 'java', output: 'latchkey/latchkey.ts', flags: [] },
];

async function generate({ language, output, flags }: (typeof RUNS)[number], directory: string) {
  const redocly = path.join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
  const target = path.join(directory, language, output);
  await promisify(execFile)(
    process.execPath,
    [
      redocly,
      'generate-client',
      'openapi.yaml',
      `--generator=${language}`,
      `--output=${target}`,
      '--docs',
      ...flags,
    ],
    { cwd: ROOT, env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  );
}

function read(directory: string): Map<string, string> {
  const names = globSync('*/**/*.*', { cwd: directory });
  return new Map(names.map((name) => [name, readFileSync(path.join(directory, name), 'utf8')]));
}

function differences(found: Map<string, string>, wanted: Map<string, string>): string[] {
  const names = new Set([...found.keys(), ...wanted.keys()]);
  return [...names].filter((name) => found.get(name) !== wanted.get(name)).toSorted();
}

async function generateAll({ check }: { check: boolean }): Promise<string[]> {
  const fresh = mkdtempSync(path.join(tmpdir(), 'latchkey-clients-'));
  try {
    await Promise.all(RUNS.map((run) => generate(run, fresh)));
    writeFileSync(path.join(fresh, 'go/go.mod'), GO_MODULE);
    const stale = differences(read(CLIENTS), read(fresh));
    if (check)
      return stale.map(
        (name) => `generated/clients/${name} is stale: run \`npm run generate:clients\``,
      );

    rmSync(CLIENTS, { recursive: true, force: true });
    cpSync(fresh, CLIENTS, { recursive: true });
    return [];
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
for (const problem of await generateAll(values)) {
  console.error(problem);
  process.exitCode = 1;
}
