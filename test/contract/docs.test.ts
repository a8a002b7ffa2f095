import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Page } from 'puppeteer-core';
import { contractDocument } from '../../src/contract.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import type { TestApp } from '../support/app.ts';
import { CHROMIUM } from '../support/browser.ts';
import { createUser, logIn } from '../support/factories.ts';
import { block, execute, launch, openDocs, paste, textOf, unfold } from './docs-page.ts';
import type { DocsPage } from './docs-page.ts';

const browser = CHROMIUM === undefined ? undefined : await launch();
test.after.always(() => browser?.close());

type Open = (look?: { width: number; height: number; colours: string }) => Promise<DocsPage>;

// One after the other: the pages share a browser, and the machine.
function inBrowser(title: string, run: (t: ExecutionContext, open: Open) => Promise<void>): void {
  if (browser) test.serial(title, (t) => run(t, (look) => openDocs(t, browser, look)));
  else test.skip(`${title} (skipped: there is no Chromium here)`, () => {});
}

// Who the contract's examples are about, so that the forms of the page are right as they are filled.
async function createAlice(app: TestApp) {
  const plain = 'correct-horse-battery';
  const password = await hashPassword(plain, app.deps.config);
  return { ...(await createUser(app, { username: 'alice', password })), plain };
}

const LOGINS: [tag: string, operationId: string, sends: RegExp][] = [
  ['JSON Web Tokens', 'login', /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/],
  ['Tokens', 'obtainAuthToken', /^Token [0-9a-f]{40}$/],
];

for (const [tag, operationId, sends] of LOGINS)
  inBrowser(
    `${operationId} on the page is enough to be let in on the page`,
    async (t, openPage) => {
      const { app, page, calls, faults, open } = await openPage();
      await createAlice(app);

      await open(tag, operationId);
      t.is(await execute(page, block(tag, operationId)), '200');
      await page.waitForSelector('#notice:not([hidden])');
      const operation = await unfold(page, 'Products', 'listProducts');
      t.is(await execute(page, operation), '200');

      const { authorization = '' } = calls.at(-1)?.headers() ?? {};
      t.regex(authorization, sends);
      t.true((await textOf(page, `${operation} .code-sample`)).includes(authorization));
      t.deepEqual(faults, []);
    },
  );

inBrowser('who logs out on the page sends a token no more', async (t, openPage) => {
  const { app, page, calls, faults, open } = await openPage();
  await createAlice(app);

  await open('Tokens', 'obtainAuthToken');
  await execute(page, block('Tokens', 'obtainAuthToken'));
  t.is(await execute(page, await unfold(page, 'Tokens', 'destroyAuthToken')), '204');
  t.is(await execute(page, await unfold(page, 'Hello', 'hello')), '200');

  t.is(calls.at(-1)?.headers().authorization, undefined);
  t.deepEqual(faults, []);
});

const FIELDS = { tokenAuth: '#api_key_value', bearerJWT: '#auth-bearer-value' };

async function authorize(page: Page, scheme: keyof typeof FIELDS, typed: string): Promise<void> {
  await page.locator('.auth-wrapper .btn.authorize').click();
  await paste(page, `.dialog-ux ${FIELDS[scheme]}`, typed);
  await page.locator(`.dialog-ux form:has(${FIELDS[scheme]}) .btn.authorize`).click();
  await page.locator('.dialog-ux .close-modal').click();
}

inBrowser('credentials are taken as people have them at hand', async (t, openPage) => {
  const { app, page, calls, faults, open } = await openPage();
  const alice = await createAlice(app);
  const { access } = await logIn(app, alice);
  const typed: [scheme: keyof typeof FIELDS, text: string, sent: string][] = [
    ['tokenAuth', alice.token, `Token ${alice.token}`],
    ['tokenAuth', `Token ${alice.token}`, `Token ${alice.token}`],
    ['bearerJWT', access, `Bearer ${access}`],
    ['bearerJWT', `Bearer ${access}`, `Bearer ${access}`],
  ];

  for (const [scheme, text, sent] of typed) {
    await open('Accounts', 'retrieveMe');
    await authorize(page, scheme, text);
    t.is(await execute(page, block('Accounts', 'retrieveMe')), '200', text);
    t.is(calls.at(-1)?.headers().authorization, sent);
  }
  t.deepEqual(faults, []);
});

inBrowser(
  'a path parameter is asked for and sent, after a reload as before',
  async (t, openPage) => {
    const { app, page, calls, faults, open } = await openPage();
    const { token } = await createAlice(app);
    const json = { name: 'Oak chair', price: '49.90' };
    const { body } = await app.client.post('/products/', { authorization: `Token ${token}`, json });
    const { id } = body as { id: number }; // the client checked it
    const operation = block('Products', 'retrieveProduct');
    const field = `${operation} tr[data-param-name="id"] input`;

    await open('Products', 'retrieveProduct');
    for (const visit of ['at first', 'after a reload']) {
      t.is(await page.$eval(field, (input) => input.value), '42', visit);
      await authorize(page, 'tokenAuth', token);
      await paste(page, field, String(id));
      t.is(await execute(page, operation), '200', visit);
      t.is(calls.at(-1)?.url(), `${app.base}/products/${id}/`, visit);
      await page.reload();
      await page.waitForSelector(field);
    }
    t.deepEqual(faults, []);
  },
);

const { paths } = contractDocument() as {
  paths: Record<string, Record<string, { operationId: string; tags: string[] }>>;
};
const operations = Object.values(paths)
  .flatMap((item) => Object.values(item))
  .filter(({ operationId }) => operationId !== undefined);

inBrowser('each operation shows code in four languages, for this service', async (t, openPage) => {
  const { app, page, faults, open } = await openPage();
  await open('Hello', 'hello');

  for (const {
    operationId,
    tags: [tag = ''],
  } of operations) {
    const operation = block(tag, operationId);
    if (operationId !== 'hello') await unfold(page, tag, operationId);
    const tabs = await page.$$eval(`${operation} .code-tabs [role=tab]`, (all) =>
      all.map((tab) => tab.textContent),
    );
    t.deepEqual(tabs, ['curl', 'TypeScript', 'Python', 'Go'], operationId);
    t.true((await textOf(page, `${operation} .code-sample`)).includes(app.base), operationId);
  }
  t.deepEqual(faults, []);
});

inBrowser(
  'the language is chosen by keys too, for all operations, and remembered',
  async (t, openPage) => {
    const { app, page, faults, open } = await openPage();
    const create = block('Products', 'createProduct');
    const chosen = (operation: string) =>
      textOf(page, `${operation} .code-tabs [role=tab][aria-selected=true]`);
    await open('Products', 'createProduct');
    t.is(await chosen(create), 'curl');

    await page.focus(`${create} .code-tabs [role=tab]`);
    for (const key of [
      'ArrowRight',
      'ArrowRight',
      'End',
      'ArrowRight',
      'ArrowLeft',
      'ArrowLeft',
    ] as const)
      await page.keyboard.press(key);

    t.is(await chosen(create), 'Python');
    t.is(await page.evaluate('document.activeElement.textContent'), 'Python');
    const hello = await unfold(page, 'Hello', 'hello');
    t.is(await chosen(hello), 'Python');
    await page.reload();
    await page.waitForSelector(`${hello} .code-sample`);
    t.is(await chosen(hello), 'Python');
    t.true(
      (await textOf(page, `${hello} .code-sample`)).includes(`requests.get(\n    "${app.base}/",`),
    );
    t.deepEqual(faults, []);
  },
);

inBrowser('code is copied as it is shown', async (t, openPage) => {
  const { app, page, open } = await openPage();
  await page
    .browserContext()
    .overridePermissions(app.base, ['clipboard-read', 'clipboard-sanitized-write']);
  const create = block('Products', 'createProduct');
  await open('Products', 'createProduct');

  await page.locator(`${create} .code-copy`).click();
  await page.waitForFunction(
    `document.querySelector('${create} .code-copy').textContent === 'Copied'`,
  );

  t.is(
    await page.evaluate('navigator.clipboard.readText()'),
    await textOf(page, `${create} .code-sample`),
  );
});

for (const colours of ['light', 'dark'])
  inBrowser(
    `on a phone, in ${colours}, the page is no wider than the screen`,
    async (t, openPage) => {
      const { page, faults, open } = await openPage({ width: 390, height: 800, colours });

      await open('Products', 'createProduct');

      t.is(await page.evaluate('document.documentElement.scrollWidth'), 390);
      t.is((await page.$('html.dark-mode')) !== null, colours === 'dark');
      t.deepEqual(faults, []);
    },
  );
