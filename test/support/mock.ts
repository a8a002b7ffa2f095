import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

const ROOT = path.join(import.meta.dirname, '../..');

/** What `npm run mock` runs, on a free port until the test ends; its address. */
export async function startMock(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const mock = spawn(process.execPath, ['src/commands/mock.ts', '--port', '0'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void mock.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    let said = '';
    mock.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk);
      const origin = /listening at (\S+)/.exec(said)?.[1];
      if (origin !== undefined) resolve(origin);
    });
    mock.on('close', () => reject(new Error(`the mock has ended: ${said}`)));
  });
}
