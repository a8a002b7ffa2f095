import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { samplesIn, startNoted } from './samples.ts';
import type { Sample } from './samples.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const run = promisify(execFile);

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args).status === 0;

const VENV = path.join(ROOT, '.venv/bin/python');
const python = existsSync(VENV) ? VENV : 'python3';

interface Language {
  label: string;
  file: string;
  /** What the machine has to have; empty where that is Node alone. */
  needs: string;
  isThere: boolean;
  /** Makes programs of the files; the command that runs one. */
  prepare: (directory: string) => Promise<(name: string) => [command: string, ...args: string[]]>;
}

const LANGUAGES: Language[] = [
  {
    label: 'curl',
    file: 'sample.sh',
    needs: 'curl',
    isThere: works('curl', '--version'),
    prepare: async (directory) => (name) => ['sh', path.join(directory, name, 'sample.sh')],
  },
  {
    label: 'TypeScript',
    file: 'sample.mts',
    needs: 'Node',
    isThere: true,
    prepare: async (directory) => (name) => [
      process.execPath,
      path.join(directory, name, 'sample.mts'),
    ],
  },
  {
    label: 'Python',
    file: 'sample.py',
    needs: 'Python with requests',
    isThere: works(python, '-c', 'import requests'),
    prepare: async (directory) => (name) => [python, path.join(directory, name, 'sample.py')],
  },
  {
    label: 'Go',
    file: 'main.go',
    needs: 'Go',
    isThere: works('go', 'version'),
    prepare: async (directory) => {
      writeFileSync(path.join(directory, 'go.mod'), 'module samples\n\ngo 1.23\n');
      const { stdout } = await run('gofmt', ['-l', '.'], { cwd: directory });
      if (stdout !== '') throw new Error(`not as gofmt has it: ${stdout}`);
      await run('go', ['vet', './...'], { cwd: directory });
      await run('go', ['build', '-o', 'bin/', './...'], { cwd: directory });
      return (name) => [path.join(directory, 'bin', name)];
    },
  },
];

for (const { label, file, needs, isThere, prepare } of LANGUAGES) {
  const declare = isThere ? test : test.skip;
  const title = `each sample in ${label} gets the answer that the contract documents`;
  declare(isThere ? title : `${title} (skipped: needs ${needs})`, async (t) => {
    const noted = await startNoted(t);
    const samples = await samplesIn(label, noted);
    const directory = write(t, samples, file);
    const commandOf = await prepare(directory);

    for (const { operationId, status } of samples) {
      const [command, ...args] = commandOf(operationId);
      await t.notThrowsAsync(run(command, args), `${operationId} exits with 0`);
      t.deepEqual([operationId, ...noted.statuses.splice(0)], [operationId, status]);
    }
    t.true(samples.length >= 23, 'all operations have one');
  });
}

for (const { label, file, prepare } of LANGUAGES.filter(({ isThere }) => isThere))
  test(`a sample in ${label} fails where it is refused`, async (t) => {
    const noted = await startNoted(t);
    const samples = await samplesIn(label, noted, /^retrieveMe$/);
    const commandOf = await prepare(write(t, samples, file));
    await noted.app.db('authtoken').del();

    const [command, ...args] = commandOf('retrieveMe');
    await t.throwsAsync(run(command, args));

    t.deepEqual(noted.statuses, [401]);
  });

function write(t: ExecutionContext, samples: Sample[], file: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'samples-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const { operationId, source } of samples) {
    mkdirSync(path.join(directory, operationId));
    writeFileSync(path.join(directory, operationId, file), `${source}\n`);
  }
  return directory;
}
