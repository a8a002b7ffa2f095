import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

let directory: string | undefined;

/** One for the whole run, gone when the harness leaves. */
export function temporaryDirectory(): string {
  directory ??= make();
  return directory;
}

function make(): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}
