import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Algorithm } from '../src/config.ts';
import { keyring } from '../src/jwt/keys.ts';
import { newSigningKey } from '../src/secrets.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import type { SettingValues } from './support/config.ts';
import type { Answer } from './support/client.ts';
import { createUser, logIn } from './support/factories.ts';
import type { Session, TestUser } from './support/factories.ts';
import { add, addCurrent, temporaryDirectory } from './support/keys.ts';

// Hostile tokens as data, beside the repository: its README says what the members mean.
const FOLDER = path.join(import.meta.dirname, '../../shared/attacks');
const isThere = existsSync(FOLDER);

type Expectation = 'accept' | 'reject' | 'either';
type Place = 'products' | 'verify' | 'refresh' | 'blacklist';

interface Attack {
  id: string;
  why?: string;
  expect: Expectation;
  expectAt?: Partial<Record<Place, Expectation>>;
}
interface Request {
  method?: string;
  path: string;
  auth?: string;
  json?: object;
  expectStatus?: number[];
}
interface Story {
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
const attacks = entries.filter((entry): entry is Attack => !('flow' in entry));
const stories = entries.filter((entry): entry is Story => 'flow' in entry && 'request' in entry);

const CALLS: Record<Place, (app: TestApp, token: string) => Promise<Answer>> = {
  // Beyond Latin-1 a header carries the bytes of UTF-8.
  products: ({ client }, token) =>
    client.get('/products/', {
      authorization: `Bearer ${Buffer.from(token, 'utf8').toString('latin1')}`,
    }),
  verify: ({ client }, token) => client.post('/verify_token/', { json: { token } }),
  refresh: ({ client }, token) => client.post('/refresh_token/', { json: { refresh: token } }),
  blacklist: ({ client }, token) => client.post('/blacklist_token/', { json: { refresh: token } }),
};
const PLACES = Object.keys(CALLS) as Place[];

const fitsInHeader = (token: string): boolean => !/[^\t\x20-\x7e\u0080-\uffff]/.test(token);
// What can be no token at all: there the parser may speak first.
const isNoToken = (token: string): boolean =>
  token.trim() === '' || token.length > 4096 || /[\0-\x1f]/.test(token.trim());

/** Whether an answer is what a case expects of a place. */
function isRight(expected: Expectation, place: Place, token: string, answer: Answer): boolean {
  const challenge = place === 'products' ? 'Token' : 'Bearer realm="api"';
  const isRefused = answer.status === 401 && answer.headers.get('www-authenticate') === challenge;
  const isUnread = [400, 413, 431].includes(answer.status) && isNoToken(token);
  if (expected === 'accept') return answer.status === 200;
  if (expected === 'reject') return isRefused || isUnread;
  return answer.status === 200 || isRefused || isUnread;
}

/** A listener that nobody should ever come to. */
async function startCanary(t: ExecutionContext): Promise<{ url: string; visits: () => number }> {
  let visits = 0;
  const listener = net.createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    listener.close();
  });
  const { port } = listener.address() as AddressInfo; // a TCP socket that listens
  return { url: `http://127.0.0.1:${port}`, visits: () => visits };
}

/** How many rows there are that end a refresh token. */
async function countRevocations({ db }: TestApp): Promise<number> {
  const families = await db('token_family').whereNotNull('revoked_at').select('id');
  const tokens = await db('blacklisted_token').select('jti');
  return families.length + tokens.length;
}

async function playAttacks(t: ExecutionContext, app: TestApp): Promise<Record<Place, number>> {
  const { forge, applies, decodeToken }: Forge = await import(
    pathToFileURL(path.join(FOLDER, 'forge.mjs')).href
  );
  const { algorithm: alg, signing } = keyring(app.deps.config);
  const canary = await startCanary(t);
  const user = await createUser(app);
  const played = { products: 0, verify: 0, refresh: 0, blacklist: 0 };
  const wrong: string[] = [];
  let loggedOut = 0;

  for (const place of PLACES) {
    let session = await logIn(app, user);
    for (const attack of attacks) {
      const isAccess = place === 'products' || place === 'verify';
      const base = decodeToken(isAccess ? session.access : session.refresh);
      if (!applies(attack, { alg, base })) continue;
      const token = forge(attack, { alg, keys: { signing }, base, canary: canary.url });
      if (place === 'products' && !fitsInHeader(token)) continue;

      const answer = await CALLS[place](app, token);

      played[place] += 1;
      const expected = attack.expectAt?.[place] ?? attack.expect;
      if (!isRight(expected, place, token, answer))
        wrong.push(`${attack.id} at ${place}: ${answer.status} ${answer.text} (${attack.why})`);
      if (place === 'blacklist' && answer.status === 200) {
        loggedOut += 1;
        session = await logIn(app, user);
      }
    }
  }
  t.deepEqual(wrong, []);
  t.is(canary.visits(), 0, 'a token sent us somewhere');
  t.is(await countRevocations(app), loggedOut, 'a refused token left a row');
  return played;
}

const NAMED = { AUDIENCE: 'shop', ISSUER: 'https://auth.example' };

// At least so many cases are played at an endpoint: they must not fall away without a word. Three fewer
// in a header, which carries no line breaks.
const PROFILES: [Algorithm, SettingValues, number][] = [
  ['HS256', {}, 151],
  ['RS256', NAMED, 160],
  ['ES256', NAMED, 165],
];

const whereFound = isThere ? test.serial : test.skip;

for (const [ALGORITHM, settings, atLeast] of PROFILES) {
  whereFound(`no hostile ${ALGORITHM} token is accepted, and no good one refused`, async (t) => {
    const SIGNING_KEY = newSigningKey(ALGORITHM);
    const app = await startApp(t, { ALGORITHM, SIGNING_KEY, ...settings }, { isRealTime: true });

    const played = await playAttacks(t, app);

    t.true(played.products >= atLeast - 3, `${played.products} at products`);
    for (const place of ['verify', 'refresh', 'blacklist'] as const)
      t.true(played[place] >= atLeast, `${played[place]} at ${place}`);
  });
}

for (const [algorithm, atLeast] of [
  ['HS256', 151],
  ['ES256', 165],
] as const)
  whereFound(`no hostile token is accepted beside a managed ${algorithm} key`, async (t) => {
    const KEYS_DIR = temporaryDirectory(t);
    addCurrent(KEYS_DIR, { algorithm });
    addCurrent(KEYS_DIR, { algorithm });
    add(KEYS_DIR, { algorithm });
    const app = await startApp(t, { KEYS_DIR, ...NAMED }, { isRealTime: true });

    const played = await playAttacks(t, app);

    for (const place of ['verify', 'refresh', 'blacklist'] as const)
      t.true(played[place] >= atLeast, `${played[place]} at ${place}`);
  });

/** The request of a story with its `${variables}` filled in. */
function fill(request: Request, session: Session, { token }: TestUser): Request {
  const values: Record<string, string> = { ...session, opaque: token };
  const text = JSON.stringify(request).replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`unknown variable ${whole}`);
    return value;
  });
  return JSON.parse(text);
}

whereFound('the stories of hostile tokens end as they should', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);

  for (const { id, flow, request, expectStatus } of stories) {
    const session = await logIn(app, user);
    for (const step of [request].flat()) {
      const { method = 'GET', path: target, auth, json } = fill(step, session, user);
      const { status } = await app.client.request(method, target, {
        ...(auth !== undefined && { authorization: auth }),
        ...(json !== undefined && { json }),
      });
      t.true(
        (step.expectStatus ?? expectStatus ?? []).includes(status),
        `${id} ${flow}: ${status}`,
      );
    }
  }
  t.true(stories.length >= 7);
});
