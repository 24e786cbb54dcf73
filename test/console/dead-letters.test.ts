import type { ConfirmChannel } from 'amqplib';
import { expect, test } from 'vitest';
import { channelOf, readyIn } from './amqp-client.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

/** Messages that were rejected in a queue. */
async function rejected(channel: ConfirmChannel, ...bodies: readonly string[]): Promise<void> {
  await channel.assertQueue('dead', { durable: true });
  const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
  await channel.assertQueue('orders', { durable: true, arguments: args });
  for (const body of bodies) channel.sendToQueue('orders', Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
  for (let left = bodies.length; left > 0; left--) {
    const message = await channel.get('orders');
    if (message !== false) channel.nack(message, false, false);
  }
  await expect.poll(() => readyIn(channel, 'dead')).toBe(bodies.length);
}

describeConsole('dead letters and delayed messages in a browser', () => {
  test('dead letters are found, tell how they died, and go back one by one, some, and all', async () => {
    const { page, ...api } = await openConsole();
    const channel = await channelOf(api);
    await rejected(channel, 'a', 'b', 'c', 'd');
    await page.goto('/dead-letters');
    await page.getByText('rejected 4').waitFor();
    await checkLook(page, 'dead-letters', 'tbody tr');
    await page.getByRole('link', { name: 'dead', exact: true }).click();
    await page.getByRole('heading', { name: 'dead', level: 1 }).waitFor();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(4);
    await checkLook(page, 'dead-letter-queue', 'tbody tr');

    await page
      .getByRole('button', { name: /Show message/ })
      .first()
      .click();
    const letter = page.getByRole('dialog', { name: 'Message' });
    await letter.getByText('How it died').waitFor();
    await letter.getByText('orders').first().waitFor();
    await letter.getByRole('button', { name: 'Re-drive' }).click();
    await page.getByRole('dialog', { name: 'Re-drive 1 message' }).getByRole('button', { name: 'Start' }).click();
    const progress = page.getByRole('dialog', { name: 'Dead letters go back' });
    await progress.getByText('done').waitFor();
    await progress.getByRole('button', { name: 'Close' }).last().click();
    await expect.poll(() => readyIn(channel, 'orders')).toBe(1);

    await page.getByRole('button', { name: 'Refresh' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(3);
    await page.locator('tbody').getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Re-drive 1 message' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
    await progress.getByText('done').waitFor();
    await progress.getByRole('button', { name: 'Close' }).last().click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);

    await page.getByRole('button', { name: 'Re-drive all' }).click();
    const all = page.getByRole('dialog', { name: 'Re-drive' });
    await all.getByLabel('Only count what would move').check();
    await all.getByRole('button', { name: 'Start' }).click();
    await progress.getByText('counted').waitFor();
    await progress.getByText('Would go to orders').waitFor();
    await progress.getByRole('button', { name: 'Close' }).last().click();
    expect(await readyIn(channel, 'dead')).toBe(2);
    await page.getByRole('button', { name: 'Re-drive all' }).click();
    await all.getByLabel('Messages a second').fill('1000');
    await all.getByRole('button', { name: 'Start' }).click();
    await progress.getByText('done').waitFor();
    expect([await readyIn(channel, 'dead'), await readyIn(channel, 'orders')]).toEqual([0, 4]);
  });

  test('letters are filtered by why they died', async () => {
    const { page, ...api } = await openConsole();
    const channel = await channelOf(api);
    await rejected(channel, 'a');
    const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead', 'x-max-length': 0 };
    await channel.assertQueue('full', { arguments: args });
    channel.sendToQueue('full', Buffer.from('overflowed'));
    await channel.waitForConfirms();
    await page.goto('/dead-letters/%2F/dead');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await page.getByLabel('Reason').selectOption('maxlen');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await page.getByText('overflowed').waitFor();
    await page.getByRole('button', { name: 'Re-drive all: queue was full' }).waitFor();
  });

  test('delayed messages are seen by when they are due, one is delivered now and one cancelled', async () => {
    const { page, ...api } = await openConsole();
    const channel = await channelOf(api);
    await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'fanout' } });
    await channel.assertQueue('inbox');
    await channel.bindQueue('inbox', 'later', '');
    for (const [body, hours] of [
      ['second', 2],
      ['first', 1],
      ['third', 3],
    ] as const)
      channel.publish('later', '', Buffer.from(body), { headers: { 'x-delay': hours * 3_600_000 } });
    await channel.waitForConfirms();
    await page.goto('/delayed');
    const bodies = async () =>
      (await page.getByRole('button', { name: /^Show message/ }).allTextContents()).map((text) => text.split(': ')[1]);
    await expect.poll(bodies).toEqual(['first', 'second', 'third']);
    await checkLook(page, 'delayed', 'tbody tr');
    await page
      .getByRole('button', { name: /Show message/ })
      .first()
      .click();
    await page.getByRole('dialog', { name: 'Message' }).getByText('x-delay').waitFor();
    await page.getByRole('dialog', { name: 'Message' }).getByRole('button', { name: 'Close' }).click();

    await page.locator('tbody').getByRole('checkbox').nth(1).check();
    await page.getByRole('button', { name: 'Deliver now' }).click();
    await expect.poll(bodies).toEqual(['first', 'third']);
    expect(await channel.get('inbox')).toMatchObject({ content: Buffer.from('second') });
    await page.locator('tbody').getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Cancel message' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel message' }).click();
    await expect.poll(bodies).toEqual(['third']);
    expect(await readyIn(channel, 'inbox')).toBe(0);
  });
});
