import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';

const LOG_FILE = path.join(import.meta.dirname, '../src/log.ts');
const LINES = 1000;

const ENDS: [how: string, code: string, exitCode: number][] = [
  ['by process.exit', 'process.exit(0)', 0],
  ['by an uncaught error', "throw new Error('crashed')", 1],
  ['by having nothing to do', '', 0],
];

for (const [how, end, exitCode] of ENDS)
  test(`no line is lost when the process ends ${how}`, async (t) => {
    const { output, code } = await run(`${write('one')} ${end}`);

    t.is(code, exitCode);
    t.deepEqual(numbersOf(output, 'one'), numbered(LINES));
  });

test('lines are whole and in order where several processes write into one pipe', async (t) => {
  const both = `
    import { spawn } from 'node:child_process';
    for (const name of ['one', 'two'])
      spawn(process.execPath, ['--input-type=module', '-e', process.argv[1].replaceAll('NAME', name)], {
        stdio: 'inherit',
      });`;
  const { output } = await run(both, write('NAME'));

  t.deepEqual(numbersOf(output, 'one'), numbered(LINES));
  t.deepEqual(numbersOf(output, 'two'), numbered(LINES));
  t.is(output.split('\n').length, 2 * LINES + 1);
});

test('a line that is alone is out before long', async (t) => {
  const child = spawnCode(`${create('one')} log.info('alone'); setInterval(() => {}, 1000);`);
  t.teardown(() => child.kill('SIGKILL'));

  for await (const chunk of child.stdout) {
    t.regex(String(chunk), /^\{"level":30,"time":\d+,"name":"one","msg":"alone"\}\n$/);
    break;
  }
});

const create = (name: string): string =>
  `import { createLog } from '${LOG_FILE}';
   const log = createLog({ LOG_LEVEL: 'info', NODE_ENV: 'production' }, { name: '${name}' });`;

function write(name: string): string {
  // Longer than what a pipe holds, all together.
  return `${create(name)}
   for (let n = 0; n < ${LINES}; n += 1) log.info({ n, fill: 'x'.repeat(200) }, 'counted');`;
}

const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function numbersOf(output: string, name: string): number[] {
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines.filter((line) => line.name === name).map(({ n }) => n);
}

async function run(code: string, ...args: string[]): Promise<{ output: string; code: unknown }> {
  const child = spawnCode(code, ...args);
  const left = new Promise((resolve) => child.on('close', resolve));
  return { output: await text(child.stdout), code: await left };
}

function spawnCode(code: string, ...args: string[]) {
  return spawn(process.execPath, ['--input-type=module', '-e', code, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
