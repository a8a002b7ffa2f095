import test from 'ava';
import { startSweeper, sweep } from '../../src/jwt/sweeper.ts';
import { createLog } from '../../src/log.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { SERVER } from '../support/database.ts';
import { createUser, logIn } from '../support/factories.ts';
import { blacklist, refresh } from './endpoints.ts';
import { legacyToken } from './forge.ts';

const onServer = SERVER === undefined ? test.skip : test;
const never = new AbortController().signal;

/** A session that lives, one that ended, and a token without session that was blacklisted. */
async function makeRows(app: TestApp) {
  const user = await createUser(app);
  const live = await logIn(app, user);
  await blacklist(app, (await logIn(app, user)).refresh);
  await blacklist(app, legacyToken(app, { user_id: String(user.id) }));
  return live;
}

async function rowsOf({ db }: TestApp): Promise<number[]> {
  const tables = ['token_family', 'blacklisted_token', 'revocation'];
  return Promise.all(
    tables.map(async (table) => Number((await db(table).count('* as n').first())?.n)),
  );
}

test('a sweep deletes what has expired, and what still ends something stays', async (t) => {
  const app = await startApp(t);
  const live = await makeRows(app);
  // Of the two that were ended.
  t.deepEqual(await rowsOf(app), [2, 1, 2]);

  t.deepEqual(await sweep(app.deps, never), {
    token_family: 0,
    blacklisted_token: 0,
    revocation: 0,
    idempotency_key: 0,
    rate_limit: 0,
    audit_event: 0,
  });
  t.is((await refresh(app, live.refresh)).status, 200);

  app.clock.advance(87_000);
  t.like(await sweep(app.deps, never), { token_family: 2, blacklisted_token: 1, revocation: 0 });
  // Whoever sweeps may not know how long tokens live elsewhere: revocations are kept for a week more.
  app.clock.advance(7 * 86_400);
  t.like(await sweep(app.deps, never), { token_family: 0, blacklisted_token: 0 });
  t.deepEqual(await rowsOf(app), [0, 0, 0]);
});

onServer('what somebody holds is left for the next sweep', async (t) => {
  const app = await startApp(t);
  await makeRows(app);
  app.clock.advance(90_000);
  if (process.env.TEST_DATABASE_URL === undefined)
    return t.pass('one session holds nothing from itself');
  const holder = await app.db.transaction();
  await holder('token_family').limit(1).forUpdate().select('id');

  t.like(await sweep(app.deps, never), { token_family: 1 });

  await holder.rollback();
  t.like(await sweep(app.deps, never), { token_family: 1 });
});

for (const [leads, left] of [
  [true, [0, 0, 0]],
  [false, [2, 1, 2]],
] as const)
  test(`the replica that ${leads ? 'leads' : 'does not lead'} ${leads ? 'sweeps' : 'does not'}`, async (t) => {
    const app = await startApp(t, { SWEEP_INTERVAL: 1 });
    await makeRows(app);
    app.clock.advance(10 * 86_400);
    let asked = 0;
    const tryToLead = async (): Promise<boolean> => {
      asked += 1;
      return leads;
    };

    const { stop } = startSweeper(app.deps, { tryToLead }, createLog(app.deps.config));
    // Asked a second time, the first sweep is over.
    while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await stop();

    t.deepEqual(await rowsOf(app), left);
  });

test('SWEEP_INTERVAL=0 sweeps nothing, and stopping waits for nothing', async (t) => {
  const app = await startApp(t, { SWEEP_INTERVAL: 0 });
  const tryToLead = async (): Promise<boolean> => t.fail('nobody is to lead');

  const { stop } = startSweeper(app.deps, { tryToLead }, createLog(app.deps.config));
  await stop();

  t.pass();
});
