import test from 'ava';
import type { ExecutionContext } from 'ava';
import { keyring } from '../src/jwt/keys.ts';
import { newSigningKey } from '../src/secrets.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import {
  attacks,
  fitsInHeader,
  inHeader,
  isThere,
  judge,
  loadForge,
  NAMED,
  PLACES,
  PROFILES,
  startCanary,
  stories,
} from './support/attacks.ts';
import type { Place, Request } from './support/attacks.ts';
import type { Answer } from './support/client.ts';
import { createUser, logIn } from './support/factories.ts';
import type { Session, TestUser } from './support/factories.ts';
import { add, addCurrent, temporaryDirectory } from './support/keys.ts';

const CALLS: Record<Place, (app: TestApp, token: string) => Promise<Answer>> = {
  products: ({ client }, token) =>
    client.get('/products/', { authorization: `Bearer ${inHeader(token)}` }),
  verify: ({ client }, token) => client.post('/verify_token/', { json: { token } }),
  refresh: ({ client }, token) => client.post('/refresh_token/', { json: { refresh: token } }),
  blacklist: ({ client }, token) => client.post('/blacklist_token/', { json: { refresh: token } }),
};

/** How many rows there are that end a refresh token. */
async function countRevocations({ db }: TestApp): Promise<number> {
  const families = await db('token_family').whereNotNull('revoked_at').select('id');
  const tokens = await db('blacklisted_token').select('jti');
  return families.length + tokens.length;
}

async function playAttacks(t: ExecutionContext, app: TestApp): Promise<Record<Place, number>> {
  const { forge, applies, decodeToken } = await loadForge();
  const { algorithm: alg, signing } = keyring(app.deps.config);
  const canary = await startCanary();
  t.teardown(canary.stop);
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
      const { status, headers } = answer;
      const challenge = headers.get('www-authenticate');
      const verdict = judge(attack, place, token, { status, challenge });
      if (verdict !== 'right' && verdict !== 'stricter')
        wrong.push(
          `${attack.id} at ${place} ${verdict}: ${answer.status} ${answer.text} (${attack.why})`,
        );
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
