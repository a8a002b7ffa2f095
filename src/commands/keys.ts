import type { KeyObject } from 'node:crypto';
import type { Algorithm, KeySettings } from '../config.ts';
import { OperatorError } from '../errors.ts';
import {
  promotableAt,
  timeText,
  withNewKey,
  withPromoted,
  withRetired,
} from '../jwt/key-rotation.ts';
import { readEntries, readKeys } from '../key-directory.ts';
import type { KeyEntry } from '../key-directory.ts';
import { makeKey, takeKey } from './key-input.ts';
import { changeKeys, prepareKeys, writeKey } from './key-store.ts';
import { layOut } from './table.ts';

/** All that these commands know of the world; they need no database. */
export interface KeyDeps {
  settings: KeySettings;
  now: Date;
}

export function listKeys({ settings }: KeyDeps): string {
  const entries = readEntries(directoryOf(settings));
  if (entries.length === 0) return 'There are no keys yet: `keys add` makes one.';
  const rows = entries.map((entry) => [
    entry.kid,
    entry.algorithm,
    entry.state,
    time(entry.created_at),
    outlook(entry, entries, settings),
  ]);
  const table = layOut([['KID', 'ALGORITHM', 'STATE', 'CREATED', ''], ...rows]);
  const hasCurrent = entries.some(({ state }) => state === 'current');
  return hasCurrent ? table : `${table}\n\nNone of them signs yet: SIGNING_KEY does.`;
}

function outlook(entry: KeyEntry, entries: KeyEntry[], settings: KeySettings): string {
  if (entry.state === 'next')
    return `can sign from ${timeText(promotableAt(entry, entries, settings))} on`;
  if (entry.state === 'current') return `signs since ${time(entry.promoted_at)}`;
  if (entry.state === 'retiring')
    return `verifies; can be retired from ${time(entry.retire_after)} on`;
  if (entry.state === 'gone') return `retired at ${time(entry.retired_at)}`;
  return 'verifies tokens of another system';
}

const time = (instant: string | null): string =>
  instant === null ? '' : timeText(new Date(instant));

export interface AddOptions {
  algorithm: Algorithm;
  file?: string;
  verifyOnly?: boolean;
}

/** Makes a key, or takes that of a file. */
export function addKey({ file, ...options }: AddOptions, { settings, now }: KeyDeps): string {
  const directory = directoryOf(settings);
  const { algorithm, verifyOnly = false } = options;
  const made = file === undefined ? makeKey(algorithm) : takeKey({ ...options, file });
  const { isNew } = prepareKeys(directory);
  const { entries, added } = changeKeys(directory, (known) => {
    const kid = findSecret(made.key, directory) ?? made.kid;
    const state = verifyOnly ? 'verify-only' : 'next';
    const change = withNewKey(known, { kid, algorithm, state }, now);
    writeKey(directory, change.added, made.text);
    return change;
  });
  return [
    `Added ${added.kid} (${algorithm}).`,
    ...(isNew ? [`Servers know it once they run with KEYS_DIR=${directory}.`] : []),
    whatNext(added, entries, settings),
  ].join('\n');
}

// The name of a secret says nothing about it. (Keys of other kinds are not compared: OpenSSL would keep that
// in mind as an error, and Node would find it at the next PEM that it reads.)
function findSecret(key: KeyObject, directory: string): string | undefined {
  if (key.type !== 'secret') return undefined;
  const secrets = readKeys(directory).filter(({ verifying }) => verifying.type === 'secret');
  return secrets.find(({ verifying }) => verifying.equals(key))?.kid;
}

function whatNext(entry: KeyEntry, entries: KeyEntry[], settings: KeySettings): string {
  if (entry.state === 'verify-only')
    return `It verifies tokens of another system. When the last of them has expired: keys retire ${quoted(entry)}`;
  const due = timeText(promotableAt(entry, entries, settings));
  return `It verifies, and signs nothing yet. From ${due} on: keys promote ${quoted(entry)}`;
}

// A kid that begins with a dash would be read as an option.
const quoted = ({ kid }: KeyEntry): string => (kid.startsWith('-') ? `-- ${kid}` : kid);

interface ChangeOptions {
  kid?: string;
  force?: boolean;
}

/** Lets another key sign: the one named, or the only one that is next. */
export function promoteKey({ kid, force }: ChangeOptions, { settings, now }: KeyDeps): string {
  const { promoted, demoted } = changeKeys(directoryOf(settings), (entries) =>
    withPromoted(entries, kid, settings, { now, force }),
  );
  return [
    `${promoted.kid} (${promoted.algorithm}) signs from now on.`,
    demoted
      ? `${demoted.kid} still verifies. From ${time(demoted.retire_after)} on: keys retire ${quoted(demoted)}`
      : 'SIGNING_KEY, where it is set, still verifies: unset it when its last token has expired.',
  ].join('\n');
}

/** Ends a key, and with it all tokens that it signed. */
export function retireKey(
  { kid, force }: ChangeOptions & { kid: string },
  { settings, now }: KeyDeps,
): string {
  const { retired } = changeKeys(directoryOf(settings), (entries) =>
    withRetired(entries, kid, { now, force }),
  );
  return `Retired ${retired.kid}: whatever it signed is refused from now on, and its file is deleted.`;
}

function directoryOf({ KEYS_DIR }: KeySettings): string {
  if (KEYS_DIR === undefined)
    throw new OperatorError('KEYS_DIR is not set: it names the directory of the keys.');
  return KEYS_DIR;
}
