import { connect } from 'amqplib';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { describeConsole, openConsole } from './browser.ts';

const LIST = /\/api\/connections\?/;
const LONG_MS = 60_000;

/** Requests for the list of connections, as they are made. */
function countAsked(page: Page): { readonly asked: () => number } {
  let asked = 0;
  page.on('request', (request) => {
    if (LIST.test(request.url())) asked += 1;
  });
  return { asked: () => asked };
}

function hide(page: Page, hidden: boolean): Promise<unknown> {
  return page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

describeConsole('what all pages are made of', () => {
  test('nothing is asked for while the page is hidden, and at once when it is seen again', async () => {
    const { page } = await openConsole({ as: '' });
    const { asked } = countAsked(page);
    await page.clock.install();
    await page.context().request.post('/api/session', { data: { username: 'guest', password: 'guest' } });
    await page.goto('/connections');
    await page.getByText('No client is connected').waitFor();
    const first = asked();
    await page.clock.runFor(1_000);
    await expect.poll(asked).toBeGreaterThan(first);
    await page.locator('.table-frame[aria-busy=false]').waitFor();
    await hide(page, true);
    const before = asked();
    await page.clock.runFor(LONG_MS);
    expect(asked()).toBe(before);
    await hide(page, false);
    await expect.poll(asked).toBe(before + 1);
  });

  test('while an answer is waited for nothing is asked again', async () => {
    const { page } = await openConsole({ path: '/channels' });
    const { asked } = countAsked(page);
    const gate = Promise.withResolvers<void>();
    await page.route(LIST, async (route) => {
      await gate.promise;
      await route.continue();
    });
    await page.clock.install();
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.clock.runFor(100);
    await expect.poll(asked).toBe(1);
    await page.clock.runFor(LONG_MS);
    expect(asked()).toBe(1);
    gate.resolve();
    await page.getByText('No client is connected').waitFor();
  });

  test('a dialog keeps the keyboard within, and gives it back', async () => {
    const { page, sluice } = await openConsole({ path: '/connections' });
    const model = await connect(`amqp://guest:guest@127.0.0.1:${sluice.listeners[1]?.port}`);
    onTestFinished(() => model.close().catch(() => {}));
    model.on('error', () => {});
    await page.getByRole('link', { name: /->/ }).click();
    const opener = page.getByRole('button', { name: 'Close connection' });
    await opener.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Close connection' });
    await dialog.waitFor();
    const within = () =>
      page.evaluate(
        'document.querySelector("dialog[open]").contains(document.activeElement) || document.activeElement === document.body',
      );
    for (let step = 0; step < 12; step++) {
      expect(await within()).toBe(true);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => dialog.count()).toBe(0);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Close connection');
  });

  test('what the broker refuses is told in its words', async () => {
    const { page } = await openConsole({ path: '/connections', allow: /answer: 503/ });
    await page.getByText('No client is connected').waitFor();
    await page.route(LIST, (route) =>
      route.fulfill({ status: 503, json: { error: 'service_unavailable', reason: 'the disk is full' } }),
    );
    await page.getByText('The broker cannot do it now').waitFor();
    await page.getByText('the disk is full').waitFor();
    // While it is refused: what is asked for by itself takes the button away.
    const again = page.waitForRequest(LIST);
    await page.getByRole('button', { name: 'Try again' }).click();
    await again;
    await page.unroute(LIST);
    await page.getByText('the disk is full').waitFor({ state: 'hidden' });
  });

  test('a page whose code does not come says so', async () => {
    const { page } = await openConsole({ path: '/connections' });
    await page.getByText('No client is connected').waitFor();
    await page.route(/assets\/channels/, (route) => route.abort());
    await page.getByRole('link', { name: 'Channels' }).click();
    await page.getByText('This page could not be loaded').waitFor();
    await page.unroute(/assets\/channels/);
    await page.getByRole('button', { name: 'Load the page anew' }).click();
    await page.getByText('No channel is open').waitFor();
  });
});
