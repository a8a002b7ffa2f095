import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { coverageOf } from './support/coverage.ts';

// Runs AVA with the arguments given, and c8 over it; then it says how much of the contract the clients of the tests
// have seen. A documented response that no test has seen fails a run of the whole suite.

const args = process.argv.slice(2);
const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-contract-coverage-'));
const suite = spawn('c8', ['ava', ...args], {
  env: { ...process.env, CONTRACT_COVERAGE_DIR: directory },
  stdio: 'inherit',
  // npm's commands are scripts of a shell there.
  shell: process.platform === 'win32',
});
const [code] = await once(suite, 'exit');
const seen = readdirSync(directory).flatMap((file) =>
  readFileSync(path.join(directory, file), 'utf8').split('\n'),
);
rmSync(directory, { recursive: true });

const { line, missing } = coverageOf(new Set(seen));
const isWhole = args.length === 0;
if (isWhole) for (const name of missing) console.error(`no test has seen ${name}`);
console.log(`\n${line}`);
process.exitCode = code === 0 && isWhole && missing.length > 0 ? 1 : (code ?? 1);
