import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { buildConsole, isConsoleBuilt } from '../../scripts/console.mjs';
import { makeUser } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

const BUILT = join(import.meta.dirname, '../../console/dist');
const MOST_BYTES = 300 * 1024;

test('all of the console is less than 300 KB compressed', async () => {
  if (!isConsoleBuilt()) await buildConsole();
  const used = filesFrom('index.html', new Set());
  const bytes = [...used].reduce((sum, name) => sum + readFileSync(join(BUILT, `${name}.gz`)).length, 0);
  process.stderr.write(`the console: ${used.size} files, ${Math.round(bytes / 1024)} KB by gzip\n`);
  expect(used.size).toBeGreaterThan(5);
  expect(bytes).toBeLessThan(MOST_BYTES);
});

/** The file with all that it names: files of builds before may lie beside them. */
function filesFrom(name: string, found: Set<string>): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(join(BUILT, name), 'utf8');
  for (const other of readdirSync(join(BUILT, 'assets')))
    if (/\.(js|css|svg)$/.test(other) && text.includes(other)) filesFrom(join('assets', other), found);
  return found;
}

describeConsole('around the pages', () => {
  test('the first paint is measured', async () => {
    const { page } = await openConsole({ path: '/connections' });
    await page.getByText('No client is connected').waitFor();
    const paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    const shown = await page.evaluate('performance.now()');
    process.stderr.write(
      `first paint after ${Math.round(Number(paint))} ms; all there by ${Math.round(Number(shown))} ms\n`,
    );
    expect(paint).toBeTypeOf('number');
  });

  test('an address that is no page says so', async () => {
    const { page } = await openConsole({ path: '/no/such/page' });
    await page.getByRole('heading', { name: 'Page not found' }).waitFor();
    await checkLook(page, 'not-found', '.notice');
  });

  test('what the tags of a user do not allow is not shown, and says why when it is asked for', async () => {
    const { api, page } = await asManager();
    await page.goto('/connections');
    await page.getByText('No client is connected').waitFor();
    const links = page.getByRole('navigation', { name: 'Navigation' }).getByRole('link');
    const seen = await links.evaluateAll((found) => found.map((link) => link.getAttribute('href')));
    const { page: all } = await openConsole({ api, path: '/connections' });
    await all.getByText('No client is connected').waitFor();
    const every = await all
      .getByRole('navigation', { name: 'Navigation' })
      .getByRole('link')
      .evaluateAll((found) => found.map((link) => link.getAttribute('href') ?? ''));
    expect(every).toEqual(expect.arrayContaining(seen));
    for (const hidden of every.filter((href) => !seen.includes(href))) {
      await page.goto(hidden);
      await page.getByText('This page is for users with the tag').waitFor();
    }
  });

  test('an object that is not there says so', async () => {
    const { page } = await asManager();
    await page.goto('/connections/none');
    await page.getByText('It is not there, or not any more').waitFor();
  });

  test('everything is reached by keyboard alone', async () => {
    const { page } = await openConsole({ path: '/connections' });
    await page.getByText('No client is connected').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Filter by name');

    await page.reload();
    await page.getByText('No client is connected').waitFor();
    await tabTo(page, 'Channels');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    // The new page is where the keyboard goes on.
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');

    await tabTo(page, 'Columns');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect.poll(() => page.getByRole('columnheader', { name: 'Channel', exact: true }).count()).toBe(0);
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('Columns');
    expect(await page.getByRole('checkbox', { name: 'Prefetch' }).isVisible()).toBe(false);
  });

  test('on a phone the navigation is a drawer', async () => {
    const { page } = await openConsole({ phone: true, path: '/connections' });
    await page.getByText('No client is connected').waitFor();
    expect(await page.getByRole('link', { name: 'Channels' }).isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('dialog', { name: 'Navigation' }).getByRole('link', { name: 'Channels' }).click();
    await page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('dialog', { name: 'Navigation' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('lists are of the virtual host that is chosen', async () => {
    const { page, ask } = await openConsole();
    await ask('PUT', '/api/vhosts/other', {});
    await page.goto('/connections');
    const asked = page.waitForRequest(/\/api\/vhosts\/other\/connections/);
    await page.getByLabel('All virtual hosts').selectOption('other');
    await asked;
    await page.reload();
    await page.getByText('No client is connected').waitFor();
    expect(await page.getByLabel('All virtual hosts').inputValue()).toBe('other');
  });
});

async function asManager() {
  const opened = await openConsole();
  await makeUser(opened, 'manager', 'management', ['/']);
  const { page } = await openConsole({ api: opened, as: 'manager:manager' });
  return { api: opened, page };
}

function focused(page: Page): Promise<unknown> {
  return page.evaluate(
    '(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).trim()',
  );
}

const MOST_STEPS = 60;

async function tabTo(page: Page, name: string): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach ${name}`);
}
