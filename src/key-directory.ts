import { createPublicKey, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from './errors.ts';
import { publicKey, signingKey, thumbprint } from './secrets.ts';
import { ALGORITHMS } from './settings.ts';
import type { Algorithm } from './settings.ts';

export const MANIFEST = 'keys.json';
export const MANIFEST_VERSION = 1;

/**
 * next: published, so that all know it before it signs; current: signs; retiring: verifies what it has signed;
 * gone: its file is deleted; verify-only: another system signed with it.
 */
export type KeyState = (typeof STATES)[number];
const STATES = ['next', 'current', 'retiring', 'gone', 'verify-only'] as const;

/** A line of the manifest. Instants are in ISO 8601, null for what has not happened. */
export interface KeyEntry {
  /** The thumbprint of a public key, or a random name for a secret. The key's file is named after it. */
  kid: string;
  algorithm: Algorithm;
  state: KeyState;
  created_at: string;
  promoted_at: string | null;
  retiring_since: string | null;
  /** When the last token that the key signed will have expired. */
  retire_after: string | null;
  retired_at: string | null;
}

/** A key that is in use, with what its file holds. */
export interface ManagedKey extends KeyEntry {
  /** Undefined where nothing but a public key is known. */
  signing: KeyObject | undefined;
  verifying: KeyObject;
}

export const isSymmetric = ({ algorithm }: Pick<KeyEntry, 'algorithm'>): boolean =>
  algorithm.startsWith('HS');

export const keyFileName = (entry: Pick<KeyEntry, 'kid' | 'algorithm'>): string =>
  `${entry.kid}.${isSymmetric(entry) ? 'key' : 'pem'}`;

/** All keys of the directory that are in use. Throws an OperatorError for the first one that cannot be. */
export function readKeys(directory: string): ManagedKey[] {
  for (;;) {
    const text = readManifest(directory);
    try {
      const entries = parseManifest(text, directory);
      return entries.filter(({ state }) => state !== 'gone').map((entry) => load(entry, directory));
    } catch (error) {
      // A file may be gone because its key was retired since we read the manifest.
      if (readManifest(directory) === text) throw error;
    }
  }
}

/** The manifest of the directory, tombstones included. */
export function readEntries(directory: string): KeyEntry[] {
  return parseManifest(readManifest(directory), directory);
}

function readManifest(directory: string): string {
  const file = path.join(directory, MANIFEST);
  try {
    if (!statSync(file).isFile()) throw new OperatorError(`${file} is no file.`);
    // Who may write here may name a key of his own.
    if (isOpen(directory, 0o022) || isOpen(file, 0o022))
      throw new OperatorError(`${directory} can be written by others than its owner.`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (codeOf(error) === 'ENOENT')
      throw new OperatorError(`${file} is missing: \`keys add\` makes it.`, { cause: error });
    throw new OperatorError(`${file} cannot be read (${codeOf(error)}).`, { cause: error });
  }
}

function parseManifest(text: string, directory: string): KeyEntry[] {
  const broken = (reason: string): OperatorError =>
    new OperatorError(`${path.join(directory, MANIFEST)} is broken: ${reason}.`);
  const manifest = parseJson(text);
  if (!isObject(manifest)) throw broken('it is no JSON object');
  if (manifest.version !== MANIFEST_VERSION)
    throw broken(`its version is not ${MANIFEST_VERSION}, the one known here`);
  if (!Array.isArray(manifest.keys)) throw broken('it has no list of keys');
  const entries: KeyEntry[] = manifest.keys.map((entry: unknown, index) => {
    if (isEntry(entry)) return entry;
    throw broken(`its key number ${index + 1} is not what \`keys\` writes`);
  });
  if (new Set(entries.map(({ kid }) => kid)).size < entries.length)
    throw broken('it names a key twice');
  if (entries.filter(({ state }) => state === 'current').length > 1)
    throw broken('it has two current keys');
  return entries;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isInstant = (value: unknown): boolean =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value));

// A kid becomes a file's name.
function isEntry(value: unknown): value is KeyEntry {
  if (!isObject(value)) return false;
  const { kid, algorithm, state, created_at, ...times } = value;
  return (
    typeof kid === 'string' &&
    /^[\w-]{22,64}$/.test(kid) &&
    ALGORITHMS.some((known) => known === algorithm) &&
    STATES.some((known) => known === state) &&
    isInstant(created_at) &&
    TIMES.every((name) => times[name] === null || isInstant(times[name]))
  );
}

const TIMES = ['promoted_at', 'retiring_since', 'retire_after', 'retired_at'] as const;

function load(entry: KeyEntry, directory: string): ManagedKey {
  const file = path.join(directory, keyFileName(entry));
  const text = readPrivateFile(file);
  try {
    return { ...entry, ...parseKey(entry, text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'cannot be used';
    throw new OperatorError(`${file} ${reason}.`, { cause: error });
  }
}

/** The text of a file that holds a secret, refused where it is one no longer. */
export function readPrivateFile(file: string): string {
  try {
    if (isOpen(file, 0o077))
      throw new OperatorError(`${file} can be read by others than its owner: chmod 600 it.`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const problem = codeOf(error) === 'ENOENT' ? 'is missing' : `cannot be read (${codeOf(error)})`;
    throw new OperatorError(`${file} ${problem}.`, { cause: error });
  }
}

type KeyPair = Pick<ManagedKey, 'signing' | 'verifying'>;

function parseKey({ kid, algorithm, state }: KeyEntry, text: string): KeyPair {
  if (isSymmetric({ algorithm })) {
    const bytes = Buffer.from(text.trim(), 'base64url');
    if (bytes.length === 0 || bytes.toString('base64url') !== text.trim())
      throw new Error('holds no secret in base64url');
    const secret = createSecretKey(bytes);
    return { signing: secret, verifying: secret };
  }
  const signing = state === 'verify-only' ? undefined : signingKey(algorithm, text);
  const verifying = signing ? createPublicKey(signing) : publicKey(algorithm, text);
  if (thumbprint(verifying) !== kid) throw new Error(`is not the key that ${MANIFEST} names`);
  return { signing, verifying };
}

// Windows has no such modes: its files inherit the rights of their directory.
function isOpen(file: string, to: number): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & to) !== 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : 'no reason given';
}
