import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { addKey, promoteKey } from '../../src/commands/keys.ts';
import type { AddOptions, KeyDeps } from '../../src/commands/keys.ts';
import { readEntries } from '../../src/key-directory.ts';
import type { KeyEntry, KeyState } from '../../src/key-directory.ts';
import { testConfig } from './config.ts';

export const DAY = 86_400;

/** A directory of the test's own, without keys. */
export function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-keys-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What the commands are given; `seconds` from now. */
export function keyDeps(KEYS_DIR: string, seconds = 0): KeyDeps {
  return {
    settings: { ...testConfig(), KEYS_DIR },
    now: new Date(Date.now() + seconds * 1000),
  };
}

/** Adds a key with the command's own code; what the manifest says about it. */
export function add(directory: string, options: Partial<AddOptions> = {}): KeyEntry {
  addKey({ algorithm: 'ES256', ...options }, keyDeps(directory));
  return lastOf(directory);
}

/** Adds a key that signs from now on. */
export function addCurrent(directory: string, options: Partial<AddOptions> = {}): KeyEntry {
  const { kid } = add(directory, options);
  promoteKey({ kid, force: true }, keyDeps(directory));
  return lastOf(directory);
}

function lastOf(directory: string): KeyEntry {
  const entry = readEntries(directory).at(-1);
  if (!entry) throw new Error('no key was added');
  return entry;
}

export const statesIn = (directory: string): KeyState[] =>
  readEntries(directory).map(({ state }) => state);
