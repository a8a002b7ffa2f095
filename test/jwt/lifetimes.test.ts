import test from 'ava';
import { startApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import {
  BLACKLISTED,
  familyOf,
  isRefused,
  listProducts,
  notValid,
  refresh,
  refreshed,
} from './endpoints.ts';
import { claimsOf } from './forge.ts';

for (const ROTATE_REFRESH_TOKENS of [false, true]) {
  const how = ROTATE_REFRESH_TOKENS ? 'with' : 'without';

  test(`${how} rotation SESSION_LIFETIME ends a session however it is used`, async (t) => {
    const app = await startApp(t, { ROTATE_REFRESH_TOKENS, SESSION_LIFETIME: '1h' });
    let { refresh: token, access } = await logIn(app, await createUser(app));
    const end = Number(claimsOf(token).iat) + 3600;

    for (let minutes = 0; minutes < 58; minutes += 2) {
      app.clock.advance(120);
      const next = await refreshed(t, app, token);
      ({ access } = next);
      token = next.refresh ?? token;
    }

    t.is(claimsOf(token).exp, end);
    t.is(claimsOf(access).exp, end, 'no access token outlives the session');
    t.is((await listProducts(app, access)).status, 200);
    app.clock.advance(121);
    isRefused(t, await refresh(app, token), notValid('Token is expired'));
    t.is((await listProducts(app, access)).status, 401);
  });

  test(`${how} rotation SESSION_IDLE_LIFETIME ends a session that is not refreshed, and no other`, async (t) => {
    const app = await startApp(t, { ROTATE_REFRESH_TOKENS, SESSION_IDLE_LIFETIME: 100 });
    let { refresh: token } = await logIn(app, await createUser(app));

    for (let uses = 0; uses < 5; uses += 1) {
      app.clock.advance(99);
      token = (await refreshed(t, app, token)).refresh ?? token;
    }
    app.clock.advance(100);

    isRefused(t, await refresh(app, token), BLACKLISTED);
  });
}

test('a session shows its last refresh to the minute, and its last rotation exactly', async (t) => {
  const app = await startApp(t);
  const { refresh: token } = await logIn(app, await createUser(app));
  const lastUse = async (): Promise<unknown> => (await familyOf(app, token)).last_used_at;

  app.clock.advance(59);
  await refreshed(t, app, token);
  t.is(await lastUse(), null);
  app.clock.advance(2);
  await refreshed(t, app, token);
  const marked = app.clock.now();
  t.deepEqual(await lastUse(), marked);
  app.clock.advance(30);
  await refreshed(t, app, token);
  t.deepEqual(await lastUse(), marked);
});
