import { connect } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import type { ApiBroker } from '../http/fixture.ts';
import { makeUser } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

async function channelOf({ sluice }: ApiBroker) {
  const model = await connect(`amqp://guest:guest@127.0.0.1:${sluice.listeners[1]?.port}`, {
    clientProperties: { connection_name: 'the shop' },
  });
  onTestFinished(() => model.close().catch(() => {}));
  return await model.createConfirmChannel();
}

/** A message that was rejected, and is a dead letter now. */
async function rejected(api: ApiBroker): Promise<void> {
  const channel = await channelOf(api);
  await channel.assertQueue('dead');
  await channel.assertQueue('orders', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  channel.sendToQueue('orders', Buffer.from('x'), { messageId: 'order-17', persistent: true });
  channel.sendToQueue('orders', Buffer.from('x'), { messageId: 'order-18' });
  await channel.waitForConfirms();
  const message = await channel.get('orders');
  if (message !== false) channel.nack(message, false, false);
  await channel.checkQueue('dead');
}

describeConsole('message traces in a browser', () => {
  test('recording is switched on; a message is found by its id, and its way is shown, over its dead letter', async () => {
    const { page, ...api } = await openConsole({ path: '/traces' });
    await page.getByText('Nothing is recorded').waitFor();
    await page.getByRole('button', { name: 'Recording' }).click();
    const dialog = page.getByRole('dialog', { name: 'Recording' });
    await dialog.getByLabel('What is recorded').selectOption('all');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('all messages').waitFor();
    await rejected(api);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await checkLook(page, 'traces', 'tbody tr');
    await page.getByLabel('Message id').fill('order-17');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    expect(new URL(page.url()).searchParams.get('message_id')).toBe('order-17');
    await page.locator('tbody a').first().click();
    await page.getByRole('heading', { name: 'order-17', level: 1 }).waitFor();
    for (const step of ['Published', 'Delivered', 'Rejected', 'Left the queue', 'Published as a dead letter'])
      await page.getByRole('heading', { name: step, exact: true }).waitFor();
    await page.getByRole('link', { name: 'the shop' }).first().waitFor();
    await checkLook(page, 'trace', '.timeline');
    await page.getByRole('link', { name: 'dead', exact: true }).first().click();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/queues/%2F/dead');
  });

  test('a record of a stream is found by its key though nothing is recorded; older ones come on request', async () => {
    const { page, sluice } = await openConsole({ path: '/traces' });
    const brokers = [`127.0.0.1:${sluice.listeners[2]?.port}`];
    const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = Array.from({ length: 60 }, (_, i) => ({ key: i === 3 ? 'rare' : 'often', value: String(i) }));
    await producer.send({ topic: 'events', messages });
    await producer.disconnect();
    await page.getByLabel('Queue, stream or exchange').fill('events');
    await page.getByLabel('Key or routing key').fill('rare');
    await page.keyboard.press('Enter');
    await page.getByText('partition 0, offset 3').waitFor();
    await page.locator('tbody a').first().click();
    await page.getByText('It is in the stream').waitFor();
    await page.goBack();
    await page.getByLabel('Key or routing key').fill('');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(50);
    await page.getByRole('button', { name: 'Older ones' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(10);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('No message was found').waitFor();
  });

  test('who may not change what is recorded is not offered it', async () => {
    const first = await openConsole({ path: '/traces' });
    await makeUser(first, 'reader', 'management');
    const { page } = await openConsole({ api: first, as: 'reader:reader', path: '/traces', language: 'zh' });
    await page.getByRole('heading', { name: '消息轨迹', level: 1 }).waitFor();
    expect(await page.getByRole('button', { name: '记录设置' }).count()).toBe(0);
  });
});
