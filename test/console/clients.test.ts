import { once } from 'node:events';
import { connect } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import type { ApiBroker } from '../http/fixture.ts';
import { makeUser } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

async function client({ sluice }: ApiBroker, name: string, user = 'guest') {
  const port = sluice.listeners[1]?.port ?? 0;
  const model = await connect(`amqp://${user}:${user}@127.0.0.1:${port}?heartbeat=30`, {
    clientProperties: { connection_name: name },
  });
  model.on('error', () => {});
  onTestFinished(() => model.close().catch(() => {}));
  return model;
}

/** With a queue and a consumer. */
async function busyClient(api: ApiBroker, name: string) {
  const model = await client(api, name);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('orders');
  await channel.prefetch(7);
  await channel.consume('orders', () => {}, { consumerTag: 'the-worker' });
  channel.sendToQueue('orders', Buffer.from('x'));
  await channel.waitForConfirms();
  return model;
}

describeConsole('connections and channels in a browser', () => {
  test('a connection is found, looked at with its channels and consumers, and closed with a reason', async () => {
    const { page, ...api } = await openConsole({ path: '/connections' });
    const model = await busyClient(api, 'the shop');
    await page.getByRole('link', { name: 'the shop' }).click();
    await page.getByRole('heading', { name: 'the shop', level: 1 }).waitFor();
    await page.getByText('amqplib', { exact: true }).waitFor();
    await checkLook(page, 'connection', '.facts');
    await page.getByRole('link', { name: /\(1\)$/ }).click();
    await page.getByText('the-worker').waitFor();
    await checkLook(page, 'channel', '.facts');

    await page.getByRole('link', { name: /->/ }).first().click();
    const closed = once(model, 'close');
    await page.getByRole('button', { name: 'Close connection' }).click();
    const dialog = page.getByRole('dialog', { name: 'Close connection' });
    await dialog.getByLabel('Reason').fill('下班了 go home');
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    expect(String((await closed)[0])).toContain('下班了 go home');
    await page.getByText('The connection is closed').waitFor();
    await page.getByText('No client is connected').waitFor();
    expect(new URL(page.url()).pathname).toBe('/connections');
  });

  test('lists of many are filtered, sorted and paged by the broker, and the address says how', async () => {
    const { page, ...api } = await openConsole();
    await Promise.all(Array.from({ length: 30 }, (_, at) => client(api, `client ${String(at).padStart(2, '0')}`)));
    const model = await client(api, 'alone');
    for (let made = 0; made < 3; made++) await model.createChannel();
    await page.goto('/connections?size=25&sort=channels&reverse=1');
    await page.getByText('31 items').waitFor();
    const firstRow = page.getByRole('row').nth(1);
    await expect.poll(() => firstRow.textContent()).toContain('alone');
    await page.getByRole('button', { name: 'Next page' }).click();
    await page.getByText('Page 2 of 2').waitFor();
    expect(page.url()).toContain('page=2');
    await expect.poll(() => page.getByRole('row').count()).toBe(7);
    await page.goBack();
    await page.getByText('Page 1 of 2').waitFor();
    await page.getByRole('columnheader', { name: 'Received', exact: true }).getByRole('button').click();
    await expect.poll(() => page.url()).toContain('sort=recv_oct');
    await page.getByRole('searchbox').fill('nobody');
    await page.getByText('Nothing matches the filter').waitFor();

    await page.goto('/channels');
    await expect.poll(() => page.getByRole('row').count()).toBe(4);
    await checkLook(page, 'channels', 'tbody tr');
  });

  test('which columns are shown is kept by the browser', async () => {
    const { page, ...api } = await openConsole({ path: '/connections' });
    await client(api, 'one');
    await page.getByRole('link', { name: 'one' }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'TLS' }).count()).toBe(0);
    await page.getByText('Columns').first().click();
    await page.getByRole('checkbox', { name: 'TLS' }).check();
    await page.getByRole('columnheader', { name: 'TLS' }).waitFor();
    await page.reload();
    await page.getByRole('columnheader', { name: 'TLS' }).waitFor();
    await checkLook(page, 'connections', 'tbody tr');
  });

  test('several are closed at once; those of others only by administrators', async () => {
    const { page, context, ...api } = await openConsole({ path: '/connections' });
    await makeUser(api, 'watcher', 'monitoring', ['/']);
    const models = [await client(api, 'one'), await client(api, 'two')];
    const closed = Promise.all(models.map((model) => once(model, 'close')));

    const { page: theirs } = await openConsole({ api, as: 'watcher:watcher', path: '/connections' });
    await theirs.getByRole('link', { name: 'one' }).waitFor();
    await theirs.getByRole('checkbox', { name: 'Select all on this page' }).check();
    const refused = theirs.getByRole('button', { name: 'Close 2 connections' });
    expect(await refused.isDisabled()).toBe(true);
    expect(await refused.getAttribute('title')).toContain('Only administrators');

    await page.getByRole('link', { name: 'two' }).waitFor();
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await page.getByRole('button', { name: 'Close 2 connections' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click();
    await closed;
    await page.getByText('No client is connected').waitFor();
  });
});
