import { expect, test } from 'vitest';
import { createBroker } from '../../src/index.ts';
import { makeUser, startApi } from '../http/fixture.ts';
import { accessibilityOf, describeConsole, openConsole, screenshot } from './browser.ts';

describeConsole('logging in to the console', () => {
  test('who is wrong is told so; who is right is where they wanted to go; log out leads back', async () => {
    const { page } = await openConsole({ as: '', path: '/channels' });
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await screenshot(page, 'login-light');
    expect(await accessibilityOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Fill this in').waitFor();
    await page.getByLabel('User name').fill('guest');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('User name or password is wrong').waitFor();
    expect(await accessibilityOf(page)).toEqual([]);
    await page.getByLabel('Password').fill('guest');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/channels');

    await page.getByText('guest', { exact: true }).first().click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  test('speaks the language of the browser, and another when that is chosen', async () => {
    const { page } = await openConsole({ as: '', language: 'zh', dark: true });
    await page.getByRole('heading', { name: '登录' }).waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await screenshot(page, 'login-zh-dark');
    expect(await accessibilityOf(page)).toEqual([]);
    await page.getByLabel('语言').selectOption('en');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('Appearance').selectOption('light');
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
  });

  test('a user without a tag is told that it needs one', async () => {
    const api = await startApi();
    await makeUser(api, 'plain', '', ['/']);
    const { page } = await openConsole({ api, as: '' });
    await page.getByLabel('User name').fill('plain');
    await page.getByLabel('Password').fill('plain');
    await page.keyboard.press('Enter');
    await page.getByText('no tag that lets it use the console').waitFor();
  });

  test('a session that ends leads to the login page, and from there back to the place', async () => {
    const { page, context } = await openConsole({ path: '/connections?sort=user' });
    await page.getByText('No client is connected').waitFor();
    await context.clearCookies();
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('User name').fill('guest');
    await page.getByLabel('Password').fill('guest');
    await page.keyboard.press('Enter');
    await page.getByText('No client is connected').waitFor();
    expect(page.url()).toContain('/connections?sort=user');
  });

  test('a session that ends in the middle of a form leaves what was typed; a dialog goes with its page', async () => {
    const { page, context } = await openConsole({ path: '/queues' });
    await page.getByRole('button', { name: 'Add queue' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add queue' });
    await dialog.getByLabel(/^Name/).fill('half-typed');
    await context.clearCookies();
    await page.getByText('Your session has ended').waitFor();
    expect(await dialog.isVisible()).toBe(false);
    await page.getByLabel('User name').fill('guest');
    await page.getByLabel('Password').fill('guest');
    await page.getByRole('button', { name: 'Log in' }).click();
    expect(await dialog.getByLabel(/^Name/).inputValue()).toBe('half-typed');
    await page.goto('/overview');
    await page.goto('/queues');
    await page.getByRole('button', { name: 'Add queue' }).click();
    await dialog.waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    expect(await dialog.count()).toBe(0);
  });

  test('a broker that goes away is told of, and the page goes on when it is back', async () => {
    const api = await startApi();
    const { page } = await openConsole({ api, path: '/connections' });
    await page.getByText('No client is connected').waitFor();
    await api.sluice.close();
    await page.getByText('The broker does not answer').waitFor();
    await screenshot(page, 'broker-gone');
    expect(await accessibilityOf(page)).toEqual([]);
    // What was there is still to be read.
    expect(await page.getByText('No client is connected').isVisible()).toBe(true);
    const again = await createBroker({ listeners: [`http://127.0.0.1:${api.port}`] });
    try {
      await page.getByText('The broker is back').waitFor();
      // It knows no sessions of before.
      await page.getByLabel('User name').fill('guest');
      await page.getByLabel('Password').fill('guest');
      await page.keyboard.press('Enter');
      await page.getByText('No client is connected').waitFor();
      expect(await page.getByText('The broker does not answer').count()).toBe(0);
    } finally {
      await again.close();
    }
  });
});
