import test from 'ava';
import { startApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import { openTab, sharedStorage, statusesOf, times } from './tabs.ts';

// As on a page that came by plain HTTP. This process runs this file alone.
Object.defineProperty(globalThis, 'navigator', { value: {} });

test('without locks a tab shares its refresh all the same, and two tabs that refresh at once both stay logged in', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true });
  const storage = sharedStorage();
  const tabs = [openTab(app.base, storage), openTab(app.base, storage)];
  await tabs[0]?.start(await logIn(app, await createUser(app)));

  for (const refreshes of [2, 4]) {
    app.clock.advance(400);
    const calls = tabs.flatMap((tab) => times(10, () => tab.fetch(`${app.base}/products/`)));
    t.deepEqual(new Set(await statusesOf(calls)), new Set([200]));
    const total = tabs.reduce((sum, { traffic }) => sum + traffic.refreshes(), 0);
    t.true(total <= refreshes, `${total} refreshes`);
  }
  t.deepEqual(
    tabs.map(({ ends }) => ends()),
    [0, 0],
  );
});
