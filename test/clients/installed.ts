import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../..');
/** Of `npm run setup:tools`. */
export const VENV = path.join(ROOT, '.venv/bin');
export const TOOLS = path.join(ROOT, '.tools');

export interface Installed {
  name: string;
  /** Undefined where it is missing. */
  version: string | undefined;
}

export const typescript = { ...installedPackage('typescript'), name: 'TypeScript' };
export const python = installed('Python', path.join(VENV, 'python'), '--version');
export const go = installed('Go', 'go', 'version');
export const java = installed('Java', 'javac', '-version');

/** A program, by the first version number that it prints. */
export function installed(name: string, file: string, ...args: string[]): Installed {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8' });
  return { name, version: status === 0 ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined };
}

export function installedPackage(name: string): Installed {
  return { name, version: createRequire(import.meta.url)(`${name}/package.json`).version };
}
