import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

const SERVER_FILE = path.join(import.meta.dirname, '../../src/server.ts');

/** `node src/server.ts`. */
export interface ServerProcess {
  process: ChildProcess;
  output: () => string;
  saying: (pattern: RegExp) => Promise<RegExpExecArray>;
  exit: () => Promise<number | null>;
}

/** Started with these settings alone; killed when the test ends. */
export function startServer(t: ExecutionContext, settings: Record<string, string>): ServerProcess {
  const child = spawn(process.execPath, [SERVER_FILE], {
    env: { PATH: process.env.PATH, ...settings },
    cwd: os.tmpdir(),
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const heard = new EventTarget();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      heard.dispatchEvent(new Event('data'));
    });
  t.teardown(() => child.kill('SIGKILL'));
  return {
    process: child,
    output: () => output,
    exit: () => exited,
    saying: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match) resolve(match);
        };
        heard.addEventListener('data', look);
        look();
        void exited.then((code) => reject(new Error(`it left with ${code}: ${output}`)));
      }),
  };
}
