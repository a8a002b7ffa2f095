import { createHmac } from 'node:crypto';
import { startProgress } from '../../src/commands/progress.ts';
import { fitsInHeader, inHeader } from '../support/attacks.ts';
import { bytesOf, formsOf, tokenLike } from './dump-strings.ts';
import type { Row } from './dump-strings.ts';
import type { Victim } from './dump-victims.ts';
import { exchange } from './http-client.ts';
import type { RequestOptions } from './http-client.ts';
import { inLanes } from './lanes.ts';

const LANES = 8;

/** What a string is taken for. */
export const GUISES = [
  'opaque token',
  'access token',
  'refresh token',
  'password of the introspection client',
  'secret that signs an access token',
  'secret that signs a refresh token',
  'password at /login/',
  'password at /auth/token/',
] as const;
export type Guise = (typeof GUISES)[number];

export interface Attempt {
  guise: Guise;
  path: string;
  options: RequestOptions;
}

const post = (guise: Guise, path: string, json: object): Attempt => ({
  guise,
  path,
  options: { method: 'POST', json },
});

export const asOpaque = (text: string): Attempt => ({
  guise: 'opaque token',
  path: '/products/',
  options: { headers: { Authorization: `Token ${inHeader(text)}` } },
});

export const asAccess = (text: string, guise: Guise = 'access token'): Attempt => ({
  guise,
  path: '/products/',
  options: { bearer: inHeader(text) },
});

export const asRefresh = (text: string, guise: Guise = 'refresh token'): Attempt =>
  post(guise, '/refresh_token/', { refresh: text });

export function asClient(password: string): Attempt {
  const credentials = Buffer.from(`introspection:${password}`).toString('base64');
  const headers = { Authorization: `Basic ${credentials}` };
  const { options, ...rest } = post('password of the introspection client', '/auth/introspect/', {
    token: 'x',
  });
  return { ...rest, options: { ...options, headers } };
}

/** Both tokens of a live session, signed anew. */
export const asSecret = (secret: Buffer | string, { live }: Victim): Attempt[] => [
  asAccess(signedWith(secret, live.access), 'secret that signs an access token'),
  asRefresh(signedWith(secret, live.refresh), 'secret that signs a refresh token'),
];

function signedWith(secret: Buffer | string, token: string): string {
  const data = token.slice(0, token.lastIndexOf('.'));
  return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`;
}

export const asPassword = (username: string, password: string): Attempt[] => [
  post('password at /login/', '/login/', { username, password }),
  post('password at /auth/token/', '/auth/token/', { username, password }),
];

/** Every word and value of the dump, as a credential of whoever it may be. */
export function* attemptsWith(rows: Row[], words: string[], victim: Victim): Iterable<Attempt> {
  const values = new Set(rows.flatMap(({ values }) => [...values.values()]));
  const texts = new Set([...words, ...values].flatMap(formsOf));
  for (const text of texts) {
    if (fitsInHeader(text)) yield* [asOpaque(text), asAccess(text), asClient(text)];
    yield asRefresh(text);
    for (const secret of bytesOf(text)) yield* asSecret(secret, victim);
  }
  for (const text of new Set([...values].flatMap(tokenLike))) yield asOpaque(text);
}

/** Of each user all that the rows about the user hold, as the user's password. */
export function* passwordsFrom(rows: Row[]): Iterable<Attempt> {
  for (const { table, values: account } of rows) {
    const username = account.get('username');
    if (table !== 'users' || username === undefined) continue;
    const owned = rows.filter(({ values }) => values.get('user_id') === account.get('id'));
    const values = [account, ...owned.map((row) => row.values)].flatMap((row) => [...row.values()]);
    const texts = values.flatMap(formsOf).filter((text) => !/^\d{1,6}$|^[tf]$/.test(text));
    for (const text of new Set(texts)) yield* asPassword(username, text);
  }
}

export interface Outcome {
  tried: Record<Guise, number>;
  accepted: Attempt[];
  /** Answers that are neither a 200 nor a refusal. */
  strange: number;
}

export async function tryAll(
  label: string,
  attempts: Iterable<Attempt>,
  origin: string,
): Promise<Outcome> {
  const all = [...attempts];
  const tried = Object.fromEntries(GUISES.map((guise) => [guise, 0])) as Record<Guise, number>;
  const outcome: Outcome = { tried, accepted: [], strange: 0 };
  let done = 0;
  const progress = startProgress(label, all.length);
  await inLanes(all, LANES, async (attempt) => {
    const { status } = await exchange(origin, attempt.path, attempt.options);
    tried[attempt.guise] += 1;
    if (status === 200) outcome.accepted.push(attempt);
    else if (status !== 401 && status !== 400) outcome.strange += 1;
    progress.advanceTo((done += 1));
  });
  progress.stop();
  return outcome;
}
