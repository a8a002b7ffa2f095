import { DatabaseSync } from 'node:sqlite';

/**
 * Locks a file, which is made if it is not there, until the returned function is called or the process is gone.
 * Throws if another process holds the lock, and goes on holding it for `patience` milliseconds.
 */
export function lockFile(file: string, { patience = 0 } = {}): () => void {
  // SQLite's lock, because the kernel drops it with the process, however that dies.
  const lock = new DatabaseSync(file, { timeout: patience });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => lock.close();
}
