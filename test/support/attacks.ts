import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Algorithm } from '../../src/config.ts';

// Hostile tokens as data, beside the repository: its README says what the members mean.
const FOLDER = path.join(import.meta.dirname, '../../../shared/attacks');

/** Whether the data is there at all. */
export const isThere = existsSync(FOLDER);

export const PLACES = ['products', 'verify', 'refresh', 'blacklist'] as const;
export type Place = (typeof PLACES)[number];
type Expectation = 'accept' | 'reject' | 'either';

export interface Attack {
  id: string;
  why?: string;
  expect: Expectation;
  expectAt?: Partial<Record<Place, Expectation>>;
}
export interface Request {
  method?: string;
  path: string;
  auth?: string;
  json?: object;
  expectStatus?: number[];
}
export interface Story {
  id: string;
  flow: string;
  request: Request | Request[];
  expectStatus?: number[];
}
interface Service {
  alg: string;
  keys: { signing: unknown };
  base: object;
  canary?: string;
}
interface Forge {
  forge: (attack: Attack, service: Service) => string;
  applies: (attack: Attack, service: Pick<Service, 'alg' | 'base'>) => boolean;
  decodeToken: (token: string) => object;
}

const entries: (Attack | Story)[] = isThere
  ? JSON.parse(readFileSync(path.join(FOLDER, 'jwt.json'), 'utf8'))
  : [];
export const attacks = entries.filter((entry): entry is Attack => !('flow' in entry));
export const stories = entries.filter(
  (entry): entry is Story => 'flow' in entry && 'request' in entry,
);

/** The module beside the data, which turns a case into the text of a token. */
export const loadForge = (): Promise<Forge> =>
  import(pathToFileURL(path.join(FOLDER, 'forge.mjs')).href);

export const NAMED = { AUDIENCE: 'shop', ISSUER: 'https://auth.example' };

/**
 * At least so many cases are played at an endpoint: they must not fall away without a word. Three fewer in a
 * header, which carries no line breaks.
 */
export const PROFILES: readonly [Algorithm, Record<string, string>, number][] = [
  ['HS256', {}, 151],
  ['RS256', NAMED, 160],
  ['ES256', NAMED, 165],
];

export const fitsInHeader = (token: string): boolean => !/[^\t\x20-\x7e\u0080-\uffff]/.test(token);

/** Beyond Latin-1 a header carries the bytes of UTF-8. */
export const inHeader = (token: string): string => Buffer.from(token, 'utf8').toString('latin1');

// What can be no token at all: there the parser may speak first.
const isNoToken = (token: string): boolean =>
  token.trim() === '' || token.length > 4096 || /[\0-\x1f]/.test(token.trim());

export type Verdict =
  | 'right'
  /** Refused, where the data has it taken: see `isNeverCurrent`. */
  | 'stricter'
  | 'accepted wrongly'
  | 'refused wrongly'
  /** Refused as it should be, with another status or challenge than that of the place. */
  | 'refused in another form';

/** What an answer is worth, by what a case expects of a place. */
export function judge(
  attack: Attack,
  place: Place,
  token: string,
  { status, challenge }: { status: number; challenge: string | null | undefined },
): Verdict {
  const expected = attack.expectAt?.[place] ?? attack.expect;
  if (isNeverCurrent(attack, place) && status === 400) return 'stricter';
  if (status === 200) return expected === 'reject' ? 'accepted wrongly' : 'right';
  if (expected === 'accept') return 'refused wrongly';
  const isRefused =
    status === 401 && challenge === (place === 'products' ? 'Token' : 'Bearer realm="api"');
  const isUnread = [400, 413, 431].includes(status) && isNoToken(token);
  return isRefused || isUnread ? 'right' : 'refused in another form';
}

// An access token that a holder of the key made a refresh token: the data has /verify_token/ take it. Its session
// never had a refresh token of that jti, so here it is as good as one that was retired.
const isNeverCurrent = ({ id }: Attack, place: Place): boolean =>
  id === 'JWT-248' && place === 'verify';

/** A listener that nobody should ever come to. */
export async function startCanary(): Promise<{
  url: string;
  visits: () => number;
  stop: () => void;
}> {
  let visits = 0;
  const listener = net.createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo; // a TCP socket that listens
  return {
    url: `http://127.0.0.1:${port}`,
    visits: () => visits,
    stop: () => void listener.close(),
  };
}
