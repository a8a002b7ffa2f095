import test from 'ava';
import type { ExecutionContext } from 'ava';
import { addKey, promoteKey, retireKey } from '../../src/commands/keys.ts';
import { keyring } from '../../src/jwt/keys.ts';
import { watchKeys } from '../../src/jwt/key-watch.ts';
import { readEntries } from '../../src/key-directory.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createDatabase } from '../support/database.ts';
import { until } from '../support/eventually.ts';
import { createUser, logIn } from '../support/factories.ts';
import type { Session } from '../support/factories.ts';
import { addCurrent, DAY, keyDeps, temporaryDirectory } from '../support/keys.ts';
import { isRefused, listProducts, notValid, refresh, verify } from './endpoints.ts';
import { textsOf } from './forge.ts';

const SILENT = { info: () => {}, error: () => {} };
const HOUR = 3600;

interface Replicas {
  directory: string;
  apps: [TestApp, TestApp];
}

/** Two replicas on one database and one directory of keys, which notice changes at different times. */
async function startReplicas(t: ExecutionContext): Promise<Replicas> {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  const db = await createDatabase(t);
  const settings = { KEYS_DIR: directory, ROTATE_REFRESH_TOKENS: true };
  const start = async (interval: number): Promise<TestApp> => {
    const app = await startApp(t, settings, { db, isRealTime: true });
    t.teardown(watchKeys(app.deps.config, SILENT, { interval }).stop);
    return app;
  };
  return { directory, apps: [await start(10), await start(150)] };
}

const kidOf = (token: string): unknown => JSON.parse(textsOf(token)[0] ?? '').kid;

const both = ({ apps }: Replicas, isSo: (app: TestApp) => boolean): Promise<void> =>
  until(() => apps.every(isSo));
const knowing =
  (kid: string) =>
  ({ deps }: TestApp): boolean =>
    keyring(deps.config).published.some((jwk) => jwk.kid === kid);
const signingWith =
  (kid: string) =>
  ({ deps }: TestApp): boolean =>
    keyring(deps.config).kid === kid;

/** Uses and renews a session at either replica in turn, until told to stop; what was not answered with 200. */
function useAllTheTime(session: Session, { apps }: Replicas) {
  let isOver = false;
  const failures: string[] = [];
  const kids = new Set<unknown>();
  const run = async (): Promise<void> => {
    let { access, refresh: token } = session;
    for (let round = 0; !isOver; round += 1) {
      const [here, there] = round % 2 === 0 ? apps : apps.toReversed();
      if (!here || !there) return;
      const renewed = await refresh(here, token);
      if (renewed.status === 200) ({ access, refresh: token } = renewed.body as Session); // checked by the client
      kids.add(kidOf(access)).add(kidOf(token));
      for (const answer of [
        renewed,
        await listProducts(there, access),
        await verify(there, token),
        await listProducts(here, session.access),
      ])
        if (answer.status !== 200) failures.push(`round ${round}: ${answer.text}`);
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    isOver = true;
    await running;
  };
  return { failures, kids, stop };
}

test('two rotations of the key at two replicas fail no request', async (t) => {
  const replicas = await startReplicas(t);
  const { apps, directory } = replicas;
  const user = await createUser(apps[0]);
  const clients = [];
  for (const app of apps) clients.push(useAllTheTime(await logIn(app, user), replicas));
  const names = [keyring(apps[0].deps.config).kid];
  for (const { kids } of clients) await until(() => kids.has(names[0]));

  for (const [turn, algorithm] of (['RS256', 'ES256'] as const).entries()) {
    const start = turn * HOUR;
    addKey({ algorithm }, keyDeps(directory, start));
    const kid = readEntries(directory).at(-1)?.kid ?? '';
    names.push(kid);
    t.throws(() => promoteKey({}, keyDeps(directory, start + 301)), { message: /^Cannot promote/ });
    // Two seconds are the bound in service; here the slower replica needs a seventh of one.
    await both(replicas, knowing(kid));
    promoteKey({}, keyDeps(directory, start + 303));
    await both(replicas, signingWith(kid));
    for (const { kids } of clients) await until(() => kids.has(kid));
  }
  for (const { stop } of clients) await stop();

  for (const { failures, kids } of clients) {
    t.deepEqual(failures, []);
    t.deepEqual([...kids].toSorted(), names.toSorted());
  }
});

test('tokens of a retiring key are good until it is retired, and refused from then on', async (t) => {
  const replicas = await startReplicas(t);
  const { apps, directory } = replicas;
  const user = await createUser(apps[0]);
  const old = await logIn(apps[0], user);
  const former = String(kidOf(old.access));
  addKey({ algorithm: 'ES256' }, keyDeps(directory));
  const kid = readEntries(directory).at(-1)?.kid ?? '';
  await both(replicas, knowing(kid));
  promoteKey({}, keyDeps(directory, HOUR));
  await both(replicas, signingWith(kid));
  for (const app of apps) t.is((await listProducts(app, old.access)).status, 200);

  t.throws(() => retireKey({ kid: former }, keyDeps(directory, DAY)), {
    message: /^Cannot retire/,
  });
  retireKey({ kid: former }, keyDeps(directory, 2 * DAY));
  await both(replicas, (app) => !knowing(former)(app));

  const young = await logIn(apps[0], user);
  for (const app of apps) {
    isRefused(t, await refresh(app, old.refresh), notValid('Token is invalid'));
    isRefused(t, await verify(app, old.access), notValid('Token is invalid'));
    t.is((await listProducts(app, old.access)).status, 401);
    t.is((await listProducts(app, young.access)).status, 200);
  }
});

test('moving from SIGNING_KEY to managed keys logs nobody out', async (t) => {
  const directory = temporaryDirectory(t);
  const app = await startApp(t, {}, { db: await createDatabase(t), isRealTime: true });
  const user = await createUser(app);
  const old = await logIn(app, user);
  const first = addCurrent(directory).kid;

  const after = await startApp(t, { KEYS_DIR: directory }, { db: app.db, isRealTime: true });

  t.is((await listProducts(after, old.access)).status, 200);
  const { status, body } = await refresh(after, old.refresh);
  t.is(status, 200);
  t.is(kidOf((body as Session).access), first); // the contract was checked by the client
});
