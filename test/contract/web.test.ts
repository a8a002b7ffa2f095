import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { CHROMIUM, openTab, startBrowser } from '../support/browser.ts';
import type { Tab } from '../support/browser.ts';
import { createUser } from '../support/factories.ts';
import type { TestUser } from '../support/factories.ts';
import { startMock } from '../support/mock.ts';

const ROOT = path.join(import.meta.dirname, '../..');

const look = CHROMIUM === undefined ? test.skip : test.serial;
const inChromium = (fact: string): string =>
  CHROMIUM === undefined ? `${fact} (skipped: there is no Chromium here)` : fact;

/** What `npm run example` runs, on a free port; the address of the page for an API. */
async function startPage(t: ExecutionContext, api: string): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const [, ...args] = scripts.example.split(' ');
  const server = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill('SIGKILL'));
  const [said] = await server.stdout.take(1).toArray();
  return `${String(said).trim()}?api=${encodeURIComponent(api)}`;
}

const show = (selector: string): string => `${selector}:not([hidden])`;

async function logIn({ page }: Tab, username: string, password: string): Promise<void> {
  await page.locator(`${show('#login')} #username`).fill(username);
  await page.locator('#password').fill(password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#products tr');
}

/** Clicks, and waits until the page says so. */
async function click({ page }: Tab, id: string, notice: string): Promise<void> {
  await page.locator(`#${id}`).click();
  await page.locator(`#notice ::-p-text(${notice})`).wait();
}

const rowsOf = ({ page }: Tab): Promise<string[]> =>
  page.$$eval('#products tr', (rows) => rows.map((row) => row.innerText.replaceAll('\t', ' ')));

const refreshesOf = ({ answers }: Tab): string[] =>
  answers.filter((line) => line.includes('/refresh_token/'));

// Chromium itself writes each answer of 400 or more to the console. Nothing else may be there.
const loggedStatus = (status: number): string => {
  const reason = { 400: 'Bad Request', 401: 'Unauthorized' }[status];
  return `Failed to load resource: the server responded with a status of ${status} (${reason})`;
};

/** Clicks, in whichever tab is in front, and waits for the list that comes of it. */
async function list({ page }: Tab, id: string): Promise<void> {
  const listed = page.waitForResponse(
    // A list that has not changed since is a 304 to the browser, and a 200 to the page.
    (response) => response.url().includes('/products/') && [200, 304].includes(response.status()),
  );
  await page.$eval(`button#${id}` as const, (button) => button.click());
  await listed;
}

/** The service as in development, where pages of this machine may call it, with seven products of a user's. */
async function startShop(t: ExecutionContext): Promise<{ app: TestApp; user: TestUser }> {
  const app = await startApp(t, {
    NODE_ENV: 'development',
    ROTATE_REFRESH_TOKENS: true,
    REFRESH_GRACE: 0, // a refresh token that is used twice ends the session
  });
  const user = await createUser(app);
  for (const name of ['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven']) {
    const json = { name, price: '1.50', stock: 2 };
    await app.client.post('/products/', { authorization: `Token ${user.token}`, json });
  }
  return { app, user };
}

look(
  inChromium('on the service the page logs in, pages, refreshes, creates and logs out'),
  async (t) => {
    const { app, user } = await startShop(t);
    const url = await startPage(t, app.base);
    const tab = await openTab(await startBrowser(t), url);
    const { page, answers } = tab;

    await page.locator(`${show('#login')} button`).click();
    await page.waitForSelector('#username-error');
    await logIn(tab, user.username, user.plain);
    await page.locator(`#user ::-p-text(${user.username})`).wait();
    t.deepEqual(await rowsOf(tab), [
      'Seven 1.50 2',
      'Six 1.50 2',
      'Five 1.50 2',
      'Four 1.50 2',
      'Three 1.50 2',
    ]);
    await list(tab, 'next');
    await page.waitForSelector('#next:disabled');
    t.deepEqual(await rowsOf(tab), ['Two 1.50 2', 'One 1.50 2']);

    app.clock.advance(400);
    await list(tab, 'previous');
    await page.waitForSelector('#previous:disabled');
    t.is((await rowsOf(tab)).length, 5);
    t.deepEqual(answers.slice(-3), [
      'GET /products/ 401',
      'POST /refresh_token/ 200',
      'GET /products/ 200',
    ]);
    await click(tab, 'refresh', 'The tokens are fresh');

    await page.locator('#price').fill('cheap');
    await page.locator('#create button').click();
    await page.waitForSelector('#price-error');
    t.deepEqual(await errorsNextToFields(tab), {
      name: 'This field may not be blank.',
      price: 'A valid number is required.',
    });
    t.is(await page.$eval(':focus', (control) => control.id), 'name');
    await page.locator('#name').fill('Pine shelf');
    await page.locator('#price').fill('24.90');
    await page.keyboard.press('Enter');
    await page.locator('#notice ::-p-text(Pine shelf was created)').wait();
    t.is((await rowsOf(tab))[0], 'Pine shelf 24.90 1');
    t.deepEqual(await errorsNextToFields(tab), {});

    await click(tab, 'logout', 'You have logged out');
    t.is(answers.at(-1), 'POST /blacklist_token/ 200');
    await page.reload();
    await page.waitForSelector(show('#login'));

    t.deepEqual(tab.errors, [400, 401, 400].map(loggedStatus));
    t.deepEqual(tab.origins, new Set([new URL(url).origin, app.base]));
  },
);

/** The sentence that describes each field that is marked as wrong. */
const errorsNextToFields = ({ page }: Tab): Promise<Record<string, string>> =>
  page.$$eval('#create [aria-invalid=true]', (controls) =>
    Object.fromEntries(
      controls.map((control) => {
        const error = control.ownerDocument.getElementById(
          control.getAttribute('aria-describedby') ?? '',
        );
        return [control.id, error?.textContent ?? ''];
      }),
    ),
  );

// How fast one tab hears of another is luck, so that it is tried several times.
const ROUNDS = 5;

look(
  inChromium(
    'two tabs with an expired access token refresh once, and a session that ends does so in both',
  ),
  async (t) => {
    const { app, user } = await startShop(t);
    const url = await startPage(t, app.base);
    const context = await startBrowser(t);
    const one = await openTab(context, url);
    await logIn(one, user.username, user.plain);
    const other = await openTab(context, url);
    await other.page.waitForSelector('#products tr');

    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.advance(400);
      await Promise.all([list(one, 'reload'), list(other, 'reload')]);
    }
    const refreshes = Array.from({ length: ROUNDS }, () => 'POST /refresh_token/ 200');
    t.deepEqual([...refreshesOf(one), ...refreshesOf(other)], refreshes);

    await one.page.bringToFront();
    await click(one, 'end-all', 'All your sessions have ended');
    await one.page.locator('#reload').click();
    for (const { page } of [one, other]) {
      await page.waitForSelector(show('#login'));
      t.is(
        await page.$eval('#notice', (notice) => notice.textContent),
        'Your session has ended. Please log in again.',
      );
    }
    t.deepEqual([...refreshesOf(one), ...refreshesOf(other)].toSorted(), [
      ...refreshes,
      'POST /refresh_token/ 401',
    ]);
  },
);

look(
  inChromium('on the mock the same page logs in, pages, refreshes, creates and logs out'),
  async (t) => {
    const api = await startMock(t);
    const url = await startPage(t, api);
    const tab = await openTab(await startBrowser(t), url);
    const { page } = tab;

    await logIn(tab, 'alice', 'any');
    await page.locator('#user ::-p-text(alice)').wait();
    t.is((await rowsOf(tab))[0], 'Oak chair 49.90 12');
    await list(tab, 'next');
    await click(tab, 'refresh', 'The tokens are fresh');
    await page.locator('#create button').click();
    await page.waitForSelector('#name-error');
    await page.locator('#name').fill('Oak chair');
    await page.locator('#price').fill('49.90');
    await click(tab, 'create button', 'Oak chair was created');
    await click(tab, 'logout', 'You have logged out');

    t.deepEqual(tab.answers, [
      'POST /login/ 200',
      'GET /auth/users/me/ 200',
      'GET /products/ 200',
      'GET /products/ 200',
      'POST /refresh_token/ 200',
      'POST /products/ 400',
      'POST /products/ 201',
      'GET /products/ 200',
      'POST /blacklist_token/ 200',
    ]);
    t.deepEqual(tab.errors, [loggedStatus(400)]);
    t.deepEqual(tab.origins, new Set([new URL(url).origin, api]));
  },
);
