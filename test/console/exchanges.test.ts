import type { ConfirmChannel } from 'amqplib';
import { expect, test } from 'vitest';
import type { ApiBroker } from '../http/fixture.ts';
import { channelOf } from './amqp-client.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

async function network(api: ApiBroker): Promise<ConfirmChannel> {
  const channel = await channelOf(api);
  await channel.assertExchange('orders', 'topic');
  await channel.assertExchange('audit', 'fanout');
  for (const queue of ['billing', 'log', 'lonely']) await channel.assertQueue(queue);
  await channel.bindQueue('billing', 'orders', 'order.paid');
  await channel.bindExchange('audit', 'orders', 'order.#');
  await channel.bindQueue('log', 'audit', '');
  return channel;
}

describeConsole('exchanges in a browser', () => {
  test('an exchange is added, bound, published to, and deleted', async () => {
    const { page, ...api } = await openConsole({ path: '/exchanges' });
    const channel = await channelOf(api);
    await channel.assertQueue('inbox');
    await page.getByText('amq.topic').waitFor();
    await checkLook(page, 'exchanges', 'tbody tr');
    await page.getByRole('button', { name: 'Add exchange' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add exchange' });
    await dialog.getByLabel('Name').fill('orders');
    await dialog.getByLabel('Type', { exact: true }).first().selectOption('topic');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'orders', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Add binding' }).click();
    const bind = page.getByRole('dialog', { name: 'Add binding' });
    await bind.getByLabel('To', { exact: false }).last().fill('inbox');
    await bind.getByLabel('Routing key').fill('order.*');
    await bind.getByRole('button', { name: 'Add binding' }).click();
    await page.getByRole('link', { name: 'inbox' }).waitFor();

    await page.getByRole('tab', { name: 'Publish' }).click();
    await page.getByLabel('Routing key').fill('order.new');
    await page.getByLabel('Body').fill('hello');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText('The message is published').waitFor();
    expect(await channel.get('inbox')).toMatchObject({ content: Buffer.from('hello') });
    await page.getByLabel('Routing key').fill('elsewhere');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText('The message went to no queue').waitFor();

    await page.getByRole('button', { name: 'Delete exchange' }).click();
    await page.getByLabel('Type “orders” to confirm').fill('orders');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete exchange' }).click();
    await page.getByText('The exchange is deleted').waitFor();
    expect(new URL(page.url()).pathname).toBe('/exchanges');
  });

  test('an exchange tells where a message would go, and why not elsewhere', async () => {
    const { page, go, ...api } = await openConsole();
    await network(api);
    await go('/exchanges/%2F/orders?tab=route');
    await page.getByLabel('Routing key').fill('order.new');
    await page.getByRole('button', { name: 'Show the way' }).click();
    await page.getByText('It would go to 1 queue').waitFor();
    await page.getByText('orders [order.#] → audit → log').waitFor();
    await page.getByText('another routing key').waitFor();
    await checkLook(page, 'exchange-route', '.route-answer');
    await page.getByLabel('Routing key').fill('x');
    await page.getByRole('button', { name: 'Show the way' }).click();
    await page.getByText('It would go nowhere').waitFor();
    await page.getByText('Nothing matches: the message ends here').waitFor();
  });

  test('the graph lights up the way of a message, and shows what is around one object', async () => {
    const { page, go, ...api } = await openConsole();
    await network(api);
    await go('/graph');
    await page.getByRole('button', { name: 'Queue lonely' }).waitFor();
    await page.getByLabel('Exchange', { exact: true }).fill('orders');
    await page.getByLabel('Routing key').fill('order.new');
    await page.getByRole('button', { name: 'Show the way' }).click();
    await page.getByText('It would go to 1 queue').waitFor();
    const lit = () => page.locator('.graph .node.lit span:not(.unseen)').allTextContents();
    await expect
      .poll(async () => (await lit()).map((text) => text.replace(/(topic|fanout|0)$/, '')).sort())
      .toEqual([...['audit', 'log', 'orders']]);
    expect(await page.locator('.graph path.lit').count()).toBe(2);
    await checkLook(page, 'graph', '.graph .node');
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(lit).toEqual([]);

    await page.getByRole('button', { name: 'Queue log' }).click();
    await page.getByLabel(/Around log/).selectOption('1');
    await expect.poll(() => page.locator('.graph .node').count()).toBe(2);
    await page.getByRole('button', { name: 'Show everything' }).click();
    await expect.poll(() => page.locator('.graph .node').count()).toBe(5);
    await page.getByRole('searchbox').fill('bill');
    await expect.poll(() => page.locator('.graph .node').count()).toBe(2);
  });
});
