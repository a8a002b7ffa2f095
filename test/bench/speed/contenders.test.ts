import test from 'ava';
import type { ExecutionContext } from 'ava';
import { seed } from '../../../src/commands/seed.ts';
import { SERVER, createServerDatabase } from '../../support/database.ts';
import { disconnect, exchange, send } from '../http-client.ts';
import { createScope } from '../scope.ts';
import { openDatabase } from '../service.ts';
import { createUsers, openSession } from '../sessions.ts';
import { CONTENDERS, isInstalled } from './contenders.ts';
import type { ContenderName } from './contenders.ts';
import { prepareDrf } from './drf.ts';
import { requireSameResults } from './lanes.ts';
import { LONG_LIVED, startContender, startLatchkey } from './servers.ts';
import type { Server } from './servers.ts';
import { bearer } from './work.ts';

// Whoever is compared does the same work, before its speed says anything. One stage for all: nothing is added to it
// once the serial tests are over.

const scope = createScope();
test.after.always(async () => {
  disconnect();
  await scope.close();
});

async function open(server: string) {
  const url = await createServerDatabase({ teardown: scope.onClose }, server);
  const deps = await openDatabase(url, LONG_LIVED, scope);
  const [user] = await createUsers(1, deps);
  if (!user) throw new Error('there is no user');
  await seed({ products: 60 }, deps);
  const [session, latchkey] = await Promise.all([
    openSession(user, deps),
    startLatchkey(url, {}, scope, { core: 'all' }),
  ]);
  return { url, deps, user, session, latchkey };
}

type Stage = Awaited<ReturnType<typeof open>>;
let opened: Promise<Stage> | undefined;

const started = new Map<ContenderName, Promise<Server>>();

let credentials: ReturnType<typeof prepareDrf> | undefined;
const prepared = ({ url }: Stage) => (credentials ??= prepareDrf(url, 2));

async function start(name: ContenderName, stage: Stage): Promise<Server> {
  const { url } = stage;
  if (name === 'drf') await prepared(stage);
  return startContender(name, url, scope, {}, 'all');
}

/** A test of a contender, or a title that says what is missing here. */
function facing(
  name: ContenderName,
  fact: string,
  run: (t: ExecutionContext, contender: Server, stage: Stage) => Promise<void>,
  declare: typeof test | typeof test.serial = test,
): void {
  const title = `${CONTENDERS[name].label}: ${fact}`;
  const server = SERVER;
  if (server === undefined || !isInstalled(name)) {
    const missing =
      server === undefined ? 'TEST_DATABASE_URL names no server' : 'needs npm run setup:bench';
    test.skip(`${title} (skipped: ${missing})`, () => {});
    return;
  }
  declare(title, async (t) => {
    const stage = await (opened ??= open(server));
    const contender = started.get(name) ?? start(name, stage);
    started.set(name, contender);
    await run(t, await contender, stage);
  });
}

const post = ({ origin }: Server, path: string, json: object, headers?: Record<string, string>) =>
  send(origin, path, { method: 'POST', json, headers });

async function twoPages({ origin }: Server, headers: Record<string, string>): Promise<string[]> {
  const first = await exchange(origin, '/products/', { headers });
  const { next } = JSON.parse(first.text) as { next: string }; // there are more than a page holds
  const { pathname, search } = new URL(next);
  return [first.text, (await exchange(origin, `${pathname}${search}`, { headers })).text];
}

for (const name of ['raw', 'fastify', 'express', 'fastapi', 'drf'] as const)
  facing(
    name,
    "adds the caller's product, and no bad one",
    async (t, contender, { deps, user, session }) => {
      const good = { name: 'Oak bench', description: 'Oiled.', price: '249.90', stock: 12 };

      const { status, body } = await post(contender, '/products/', good, bearer(session));

      t.is(status, 201);
      t.like(body, { ...good, owner: user.id });
      t.like(
        await deps
          .db('product')
          .where({ id: Number(body.id) })
          .first(),
        good,
      );
      for (const bad of [
        { name: '' },
        { name: 'x'.repeat(201) },
        { price: '-1' },
        { price: '1.234' },
        { price: '123456789' },
        { price: 'ten' },
        { stock: -1 },
        { stock: 1.5 },
        { stock: 2 ** 31 },
      ]) {
        const refusal = await post(contender, '/products/', { ...good, ...bad }, bearer(session));
        t.true([400, 422].includes(refusal.status), `${JSON.stringify(bad)}: ${refusal.status}`);
      }
    },
    test.serial,
  );

for (const name of ['limit', 'raw', 'fastify', 'express', 'fastapi', 'drf'] as const)
  facing(name, "lists the service's pages", async (t, contender, { latchkey, session }) => {
    const ours = await twoPages(latchkey, bearer(session));

    const theirs = await twoPages(contender, bearer(session));

    for (const [index, text] of theirs.entries())
      t.notThrows(() =>
        requireSameResults([
          { label: latchkey.label, text: ours[index] ?? '' },
          { label: contender.label, text },
        ]),
      );
  });

for (const name of ['limit', 'raw', 'fastify', 'express', 'fastapi', 'drf'] as const)
  facing(name, 'lists nothing without a valid access token', async (t, { origin }, { session }) => {
    const [header, payload, signature = ''] = session.access.split('.');
    for (const [what, access] of [
      ['none', undefined],
      ['no JWT', 'x'],
      ['a refresh token', session.refresh],
      ['the signature of another', `${header}.${payload}.${session.refresh.split('.')[2]}`],
      ['half a signature', `${header}.${payload}.${signature.slice(0, 20)}`],
      ['no signature', `${header}.${payload}.`],
    ] as const) {
      const headers = access === undefined ? {} : bearer({ access });
      t.is((await exchange(origin, '/products/', { headers })).status, 401, what);
    }
  });

for (const name of ['raw', 'fastify', 'fastapi', 'drf'] as const)
  facing(name, 'verifies tokens', async (t, contender, { session: { access, refresh } }) => {
    const answer = await post(contender, '/verify_token/', { token: access });

    t.like(answer, { status: 200, body: {} });
    for (const token of [`x${access}`, 'x', access.replace(/[^.]+$/, refresh.split('.')[2] ?? '')])
      t.is((await post(contender, '/verify_token/', { token })).status, 401, token);
  });

facing('drf', 'filters, searches and orders', async (t, contender, { latchkey, session }) => {
  const path = '/products/?price__lt=900&name__icontains=A&search=hand&ordering=-price';

  const answers = await Promise.all(
    [latchkey, contender].map(async ({ label, origin }) => {
      const { text } = await exchange(origin, path, { headers: bearer(session) });
      return { label, text };
    }),
  );

  t.notThrows(() => requireSameResults(answers));
});

facing('drf', 'takes the credentials it has prepared', async (t, contender, stage) => {
  const { access, token, refresh, login } = await prepared(stage);
  const page = (credentials: string) =>
    send(contender.origin, '/products/', { headers: { Authorization: credentials } });

  t.is((await page(`Bearer ${access[0]}`)).status, 200);
  t.is((await page(`Token ${token[0]}`)).status, 200);
  const refreshed = await post(contender, '/refresh_token/', { refresh: refresh[0] });
  t.deepEqual(Object.keys(refreshed.body), ['access']);
  const entered = await post(contender, '/login/', login);
  t.deepEqual(Object.keys(entered.body), ['refresh', 'access']);
  const refused = await post(contender, '/login/', { ...login, password: 'another' });
  t.is(refused.status, 401);
});

facing('drf', 'with rotation, takes a refresh token once', async (t, _contender, stage) => {
  const { refresh } = await prepared(stage);
  const rotating = { ROTATE_REFRESH_TOKENS: 'true' };
  const contender = await startContender('drf', stage.url, scope, rotating, 'all');
  const use = () => post(contender, '/refresh_token/', { refresh: refresh[1] });

  const first = await use();

  t.deepEqual(Object.keys(first.body), ['access', 'refresh']);
  t.is((await use()).status, 401);
});
