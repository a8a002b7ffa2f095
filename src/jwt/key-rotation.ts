import type { KeySettings } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { isSymmetric } from '../key-directory.ts';
import type { KeyEntry } from '../key-directory.ts';

/** In seconds: when the last replica has taken notice of a change, and others of our list of public keys. */
const RELOAD = 2;
const PUBLIC_LIST_MAX_AGE = 300;
/** For clocks that differ, and for what replicas signed with the former key before they took notice. */
const MARGIN = 60;

interface Decision {
  now: Date;
  /** Not to wait. */
  force?: boolean;
}

/** The entries with another one, which is not in use yet. Throws an OperatorError for a key that was here before. */
export function withNewKey(
  entries: readonly KeyEntry[],
  { kid, algorithm, state }: Pick<KeyEntry, 'kid' | 'algorithm' | 'state'>,
  now: Date,
): { entries: KeyEntry[]; added: KeyEntry } {
  const known = entries.find((entry) => entry.kid === kid);
  if (known?.state === 'gone')
    throw new OperatorError(`The key ${kid} was retired, and does not come back: make a new one.`);
  if (known) throw new OperatorError(`The key ${kid} is there already (${known.state}).`);
  const created_at = now.toISOString();
  const unknown = { promoted_at: null, retiring_since: null, retire_after: null, retired_at: null };
  const added = { kid, algorithm, state, created_at, ...unknown };
  return { entries: [...entries, added], added };
}

/** The entries with another key that signs; the former one is retiring. */
export function withPromoted(
  entries: readonly KeyEntry[],
  name: string | undefined,
  settings: KeySettings,
  { now, force = false }: Decision,
): { entries: KeyEntry[]; promoted: KeyEntry; demoted: KeyEntry | undefined } {
  const key = name === undefined ? onlyNext(entries) : findKey(entries, name);
  if (key.state !== 'next')
    throw new OperatorError(`Cannot promote ${key.kid}, which is ${describe(key)}.`);
  const due = promotableAt(key, entries, settings);
  if (now < due && !force)
    throw new OperatorError(
      `Cannot promote ${key.kid} yet: not everybody who verifies tokens may know it. ` +
        `Wait ${waiting(now, due)}, until ${timeText(due)}, or use --force.`,
    );
  const promoted: KeyEntry = { ...key, state: 'current', promoted_at: now.toISOString() };
  const former = entries.find(({ state }) => state === 'current');
  const demoted = former && retiring(former, settings, now);
  return { entries: replaced(entries, promoted, demoted), promoted, demoted };
}

/** From when on all who verify tokens know a key that was published. */
export function promotableAt(
  key: KeyEntry,
  entries: readonly KeyEntry[],
  { ALGORITHM }: Pick<KeySettings, 'ALGORITHM'>,
): Date {
  // Before the first public key there was nothing in the list that anybody could rely on.
  const hasList =
    !ALGORITHM.startsWith('HS') ||
    entries.some((other) => other.kid !== key.kid && isPublished(other));
  const seconds = isPublished(key) && hasList ? PUBLIC_LIST_MAX_AGE + RELOAD : RELOAD;
  return after(new Date(key.created_at), seconds);
}

const isPublished = (entry: KeyEntry): boolean =>
  !isSymmetric(entry) && ['next', 'current', 'retiring'].includes(entry.state);

function retiring(entry: KeyEntry, settings: KeySettings, now: Date): KeyEntry {
  const { ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME, SLIDING_TOKEN_LIFETIME, LEEWAY } =
    settings;
  const longest = Math.max(ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME, SLIDING_TOKEN_LIFETIME);
  return {
    ...entry,
    state: 'retiring',
    retiring_since: now.toISOString(),
    retire_after: after(now, longest + LEEWAY + MARGIN).toISOString(),
  };
}

/** The entries with a key that nothing is verified with any more. */
export function withRetired(
  entries: readonly KeyEntry[],
  name: string,
  { now, force = false }: Decision,
): { entries: KeyEntry[]; retired: KeyEntry } {
  const key = findKey(entries, name);
  if (key.state === 'current')
    throw new OperatorError(`Cannot retire ${key.kid}, which signs: promote another key first.`);
  if (key.state === 'gone')
    throw new OperatorError(`Cannot retire ${key.kid}, which is ${describe(key)}.`);
  const due = key.retire_after === null ? now : new Date(key.retire_after);
  if (now < due && !force)
    throw new OperatorError(
      `Cannot retire ${key.kid} yet: tokens that it signed are still good. ` +
        `Wait ${waiting(now, due)}, until ${timeText(due)}, or use --force to refuse them from now on.`,
    );
  const retired: KeyEntry = { ...key, state: 'gone', retired_at: now.toISOString() };
  return { entries: replaced(entries, retired), retired };
}

function replaced(entries: readonly KeyEntry[], ...changed: (KeyEntry | undefined)[]): KeyEntry[] {
  return entries.map((entry) => changed.find((other) => other?.kid === entry.kid) ?? entry);
}

function onlyNext(entries: readonly KeyEntry[]): KeyEntry {
  const [next, ...others] = entries.filter(({ state }) => state === 'next');
  if (!next) throw new OperatorError('There is no next key to promote: `keys add` makes one.');
  if (others.length > 0)
    throw new OperatorError(`Which key? The next ones are ${listOf([next, ...others])}.`);
  return next;
}

/** A key by its kid, or by the beginning of it where that is enough. */
function findKey(entries: readonly KeyEntry[], name: string): KeyEntry {
  const exact = entries.find(({ kid }) => kid === name);
  if (exact) return exact;
  const [found, ...others] = name === '' ? [] : entries.filter(({ kid }) => kid.startsWith(name));
  if (!found)
    throw new OperatorError(`There is no key ${name}: \`keys list\` shows those there are.`);
  if (others.length > 0)
    throw new OperatorError(`Which key? ${name} begins ${listOf([found, ...others])}.`);
  return found;
}

const listOf = (entries: KeyEntry[]): string => entries.map(({ kid }) => kid).join(' and ');

function describe({ state }: KeyEntry): string {
  if (state === 'current') return 'the current key already';
  if (state === 'retiring') return 'retiring, and does not sign again';
  if (state === 'gone') return 'gone already';
  return 'there to verify only';
}

/** For people: to the second, in UTC. */
export const timeText = (instant: Date): string => instant.toISOString().replace(/\.\d+Z$/, 'Z');

// A whole second, so that what people are told is the very time.
const after = (instant: Date, seconds: number): Date =>
  new Date(Math.ceil(instant.getTime() / 1000 + seconds) * 1000);

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** The time between, rounded up, in its largest two units. */
function waiting(from: Date, to: Date): string {
  let rest = Math.ceil((to.getTime() - from.getTime()) / 1000);
  const parts = UNITS.flatMap(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? '' : 's'}`];
  });
  return parts.slice(0, 2).join(' and ');
}
