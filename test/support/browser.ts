import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import puppeteer from 'puppeteer-core';
import type { BrowserContext, Page } from 'puppeteer-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium, or undefined where there is none: CHROMIUM names one elsewhere. */
export const CHROMIUM = process.env.CHROMIUM ?? PLACES.find((file) => existsSync(file));

/** A profile of its own: its tabs share storage and locks, with nobody else. Gone when the test ends. */
export async function startBrowser(t: ExecutionContext): Promise<BrowserContext> {
  const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  return browser.createBrowserContext();
}

export interface Tab {
  page: Page;
  /** `POST /login/ 200` and the like: no preflights, and not what the page itself is made of. */
  answers: string[];
  /** Errors in the console, of whatever kind, and exceptions that nobody caught. */
  errors: string[];
  /** Where requests have gone. */
  origins: Set<string>;
}

export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  const tab: Tab = { page, answers: [], errors: [], origins: new Set() };
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) tab.errors.push(message.text());
  });
  page.on('pageerror', (error) => tab.errors.push(String(error)));
  page.on('requestfailed', (request) => tab.errors.push(`${request.url()} failed`));
  page.on('request', (request) => {
    if (request.url().startsWith('http')) tab.origins.add(new URL(request.url()).origin);
  });
  page.on('response', (response) => {
    const { origin, pathname } = new URL(response.url());
    const method = response.request().method();
    if (origin !== new URL(url).origin && method !== 'OPTIONS')
      tab.answers.push(`${method} ${pathname} ${response.status()}`);
  });
  await page.goto(url);
  return tab;
}
