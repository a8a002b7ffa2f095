import type { ExecutionContext } from 'ava';
import puppeteer from 'puppeteer-core';
import type { Browser, HTTPRequest, Page } from 'puppeteer-core';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { CHROMIUM } from '../support/browser.ts';

export interface DocsPage {
  app: TestApp;
  page: Page;
  /** Requests to the service itself, not for parts of the page. */
  calls: HTTPRequest[];
  /** Whatever the page may not do: requests elsewhere, words on the console, breaches of its policy. */
  faults: string[];
  /** Opens an operation as a link to it does. */
  open: (tag: string, operationId: string) => Promise<void>;
}

/** A browser that reaches nothing but this machine, as without a network. */
export const launch = (): Promise<Browser> =>
  puppeteer.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });

/** The documentation of a service of its own, in a page without memory. */
export async function openDocs(
  t: ExecutionContext,
  browser: Browser,
  { width = 1280, height = 900, colours = 'light' } = {},
): Promise<DocsPage> {
  const app = await startApp(t);
  const context = await browser.createBrowserContext();
  t.teardown(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colours }]);

  const calls: HTTPRequest[] = [];
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    const { origin, pathname, protocol } = new URL(request.url());
    if (origin !== app.base && protocol !== 'data:') faults.push(`elsewhere: ${request.url()}`);
    if (!/^\/(docs|openapi\.json)/.test(pathname) && protocol !== 'data:') calls.push(request);
  });
  // Told on the console as well, but not in each version of Chromium.
  await page.exposeFunction('tellBreach', (directive: string) => faults.push(`CSP: ${directive}`));
  await page.evaluateOnNewDocument(`addEventListener('securitypolicyviolation',
    ({ effectiveDirective }) => tellBreach(effectiveDirective))`);

  const open: DocsPage['open'] = async (tag, operationId) => {
    await page.goto('about:blank');
    await page.goto(`${app.base}/docs#/${encodeURIComponent(tag)}/${operationId}`);
    await page.waitForSelector(`${block(tag, operationId)} .code-sample`);
  };
  return { app, page, calls, faults, open };
}

/** The part of the page that is about an operation. */
export const block = (tag: string, operationId: string): string =>
  `#operations-${tag.replaceAll(' ', '_')}-${operationId}`;

/** Opens an operation of the page that is open, with all that it knows. */
export async function unfold(page: Page, tag: string, operationId: string): Promise<string> {
  const operation = block(tag, operationId);
  await page.locator(`${operation} .opblock-summary-control`).click();
  await page.waitForSelector(`${operation} .code-sample`);
  return operation;
}

/** Presses Execute and waits for the answer: its status, as the page shows it. */
export async function execute(page: Page, operation: string): Promise<string> {
  await page.locator(`${operation} .btn.execute`).click();
  const status = `${operation} .live-responses-table .response-col_status`;
  await page.waitForFunction(
    `/^\\d+$/.test(document.querySelectorAll('${status}')[1]?.textContent.trim().slice(0, 3))`,
  );
  return (await page.$$eval(status, (cells) => cells[1]?.textContent?.trim() ?? '')).slice(0, 3);
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? '');
}

/** Puts a text into a field in the place of what is there, as pasting does. */
export async function paste(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForSelector(selector);
  await page.click(selector, { count: 3 });
  await page.keyboard.sendCharacter(text);
}
