import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

export const CLI = path.join(import.meta.dirname, '../../src/cli.ts');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export type Cli = (
  args: string[],
  options?: { input?: string | Buffer; env?: Env },
) => Promise<Outcome>;
type Env = Record<string, string>;

/** The real command line, on an embedded database of the test's own. */
export function startCli(t: ExecutionContext): { cli: Cli; env: Env; directory: string } {
  const directory = mkdtempSync(path.join(tmpdir(), 'latchkey-cli-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const env = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'test',
    BCRYPT_ROUNDS: '4',
    DATA_DIR: path.join(directory, 'data'),
  };
  const cli: Cli = (args, options = {}) =>
    execute([CLI, ...args], { ...options, env: { ...env, ...options.env } });
  return { cli, env, directory };
}

function execute(
  args: string[],
  { input = '', env }: { input?: string | Buffer; env: Env },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
    // A command that reads no password closes its end early.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
