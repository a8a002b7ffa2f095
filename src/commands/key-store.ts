import { randomUUID } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../errors.ts';
import { lockFile } from '../file-lock.ts';
import { keyFileName, MANIFEST, MANIFEST_VERSION, readEntries } from '../key-directory.ts';
import type { KeyEntry } from '../key-directory.ts';

const PATIENCE_MS = 2000;

/** Makes the directory of the keys with an empty manifest, unless it is there; tells whether it was. */
export function prepareKeys(directory: string): { isNew: boolean } {
  return inSentences(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return exclusively(directory, () => {
      if (existsSync(path.join(directory, MANIFEST))) return { isNew: false };
      // A manifest that was lost must not be taken for one that never was: the servers would drop its keys.
      const lost = readdirSync(directory).find((name) => /^[\w-]{22,64}\.(key|pem)$/.test(name));
      if (lost !== undefined)
        throw new OperatorError(
          `${directory} holds ${lost}, but no ${MANIFEST}: bring that back, or clear the directory.`,
        );
      writeManifest(directory, []);
      return { isNew: true };
    });
  });
}

/** Changes the manifest, one process at a time; files of keys that are gone are deleted after it. */
export function changeKeys<Change extends { entries: KeyEntry[] }>(
  directory: string,
  change: (entries: KeyEntry[]) => Change,
): Change {
  // Told before a lock is made where there is nothing to be locked.
  readEntries(directory);
  return inSentences(directory, () =>
    exclusively(directory, () => {
      const changed = change(readEntries(directory));
      writeManifest(directory, changed.entries);
      for (const entry of changed.entries)
        if (entry.state === 'gone') rmSync(fileOf(directory, entry), { force: true });
      return changed;
    }),
  );
}

/** To be done before the manifest names the key. */
export function writeKey(directory: string, entry: KeyEntry, text: string): void {
  writeDurably(fileOf(directory, entry), text);
}

const fileOf = (directory: string, entry: KeyEntry): string =>
  path.join(directory, keyFileName(entry));

function writeManifest(directory: string, keys: KeyEntry[]): void {
  const text = JSON.stringify({ version: MANIFEST_VERSION, keys }, null, 2);
  writeDurably(path.join(directory, MANIFEST), `${text}\n`);
}

/** The whole file or the former one, also for who reads at this moment or loses power. */
function writeDurably(file: string, text: string): void {
  const directory = path.dirname(file);
  const temporary = path.join(directory, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
    giveToOwnerOf(directory, temporary);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (process.platform !== 'win32') flushDirectory(directory);
}

// What root writes, the user that the service runs as could not read.
function giveToOwnerOf(directory: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(directory);
  chownSync(file, uid, gid);
}

function flushDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function exclusively<Result>(directory: string, work: () => Result): Result {
  const file = path.join(directory, 'lock');
  closeSync(openSync(file, 'a', 0o600));
  giveToOwnerOf(directory, file);
  const unlock = lockFile(file, { patience: PATIENCE_MS });
  try {
    return work();
  } finally {
    unlock();
  }
}

const SQLITE_BUSY = 5;

function inSentences<Result>(directory: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof OperatorError || !(error instanceof Error)) throw error;
    if ('errcode' in error && error.errcode === SQLITE_BUSY)
      throw new OperatorError(`Another command is changing the keys in ${directory}: try again.`, {
        cause: error,
      });
    throw new OperatorError(`Cannot change the keys in ${directory}: ${error.message}.`, {
      cause: error,
    });
  }
}
