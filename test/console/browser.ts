import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { buildConsole, isConsoleBuilt } from '../../scripts/console.mjs';
import type { CreateBrokerOptions } from '../../src/index.ts';
import { type ApiBroker, startApi } from '../http/fixture.ts';

/** Debian's; nothing is downloaded. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Not in git. */
const SCREENSHOTS = join(import.meta.dirname, '../../test-results/console');
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };
/** For something to be seen: many times what it takes, for busy machines. */
const WAIT_MS = 20_000;

let browser: Browser | undefined;

/** Tests in a real browser: skipped, and said so, where there is none. */
export function describeConsole(name: string, tests: () => void): void {
  const installed = existsSync(CHROMIUM);
  if (!installed) process.stderr.write(`skipped: ${name}: there is no ${CHROMIUM} (apt-get install chromium)\n`);
  describe.skipIf(!installed)(name, () => {
    beforeAll(async () => {
      if (!isConsoleBuilt()) await buildConsole();
      // Without its own sandbox where it is root, which it refuses otherwise.
      const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
      browser = await chromium.launch({ executablePath: CHROMIUM, args });
    });
    afterAll(() => browser?.close());
    tests();
  });
}

export interface ConsoleOptions {
  /** `NAME:PASSWORD` of who is logged in; an empty text for nobody. */
  readonly as?: string;
  readonly language?: 'en' | 'zh';
  readonly dark?: boolean;
  readonly phone?: boolean;
  /** A page of the console. */
  readonly path?: string;
  readonly broker?: CreateBrokerOptions;
  /** The broker, where it is there already. */
  readonly api?: ApiBroker;
  /** Errors that the test provokes: others on the browser's console, and answers of 500 and more, fail it. */
  readonly allow?: RegExp;
}

export interface OpenedConsole extends ApiBroker {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Goes to a page by its address. */
  go(path: string): Promise<void>;
}

const LISTENERS = ['http://127.0.0.1:0', 'amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'];

/** A broker and a browser on its console; the end of the test closes both, and looks at what the browser complained of. */
export async function openConsole(options: ConsoleOptions = {}): Promise<OpenedConsole> {
  const { as = 'guest:guest', language = 'en', dark = false, phone = false, path = '/', allow } = options;
  const api = options.api ?? (await startApi({ listeners: LISTENERS, ...options.broker }));
  if (browser === undefined) throw new Error('openConsole works within describeConsole');
  const context = await browser.newContext({
    ...{ baseURL: api.url, locale: language === 'zh' ? 'zh-CN' : 'en-GB', viewport: phone ? PHONE : DESK },
    ...{ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', hasTouch: phone, isMobile: phone },
  });
  const complaints: string[] = [];
  context.setDefaultTimeout(WAIT_MS);
  // As somebody would choose who has no time.
  await context.addInitScript("localStorage.setItem('sluice.refresh', '1000')");
  const page = await context.newPage();
  watch(page, api.url, (complaint) => {
    if (allow?.test(complaint) !== true) complaints.push(complaint);
  });
  onTestFinished(async () => {
    // What a test answered in the broker's place may be under way.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
    expect(complaints).toEqual([]);
  });
  if (as !== '') await logIn(context, as);
  await page.goto(path);
  return {
    ...api,
    ...{ page, context },
    go: async (to) => {
      await page.goto(to);
    },
  };
}

/** Gives the browser a session, as the login page would. */
export async function logIn(context: BrowserContext, as: string): Promise<void> {
  const [username = '', password = ''] = as.split(':');
  const answer = await context.request.post('/api/session', { data: { username, password } });
  expect(answer.status(), 'login').toBe(200);
}

function watch(page: Page, url: string, complain: (complaint: string) => void): void {
  const { host } = new URL(url);
  page.on('pageerror', (error) => complain(`error: ${error.message}`));
  page.on('console', (message) => {
    // What the broker refuses is told by the page; whether it should have been is what tests look at.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
      complain(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) complain(`answer: ${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (/^(https?|wss?):$/.test(to.protocol) && to.host !== host) complain(`request to another host: ${request.url()}`);
  });
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Rules of axe: one is of colours, and takes longer than the rest. */
const COLOURS = ['color-contrast'];
type Rules = 'all' | 'colours' | 'others';

/** Serious findings of axe on what the page shows now. */
export async function accessibilityOf(page: Page, rules: Rules = 'all'): Promise<string[]> {
  // Not as a script of the page, which its content security policy does not let in.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(readFileSync(AXE, 'utf8'));
  const options = {
    resultTypes: ['violations'],
    ...(rules === 'colours' && { runOnly: COLOURS }),
    ...(rules === 'others' && { rules: Object.fromEntries(COLOURS.map((rule) => [rule, { enabled: false }])) }),
  };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

/** Keeps what is seen, to be looked at by people. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/**
 * What every page has to do: without serious findings of axe in light and in dark, in English and in Chinese, and on a phone without scrolling
 * sideways; with screenshots of each. `ready` is something that is seen once the page has come, whatever the language.
 */
export async function checkLook(page: Page, name: string, ready: string): Promise<void> {
  const settle = () => page.locator(ready).first().waitFor();
  await settle();
  await screenshot(page, `${name}-light`);
  expect(await accessibilityOf(page), `${name}, light`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  await screenshot(page, `${name}-dark`);
  // The same page in other colours, and then with other words.
  expect(await accessibilityOf(page, 'colours'), `${name}, dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(PHONE);
  await screenshot(page, `${name}-phone`);
  expect(await page.evaluate('document.documentElement.scrollWidth'), `${name}: as wide as the phone`).toBe(
    PHONE.width,
  );
  await page.setViewportSize(DESK);
  await page.evaluate("localStorage.setItem('sluice.language', 'zh')");
  await page.reload();
  await settle();
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  await screenshot(page, `${name}-zh`);
  expect(await accessibilityOf(page, 'others'), `${name}, Chinese`).toEqual([]);
  await page.evaluate("localStorage.removeItem('sluice.language')");
  await page.reload();
  await settle();
}
