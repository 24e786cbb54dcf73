import type { ConfirmChannel } from 'amqplib';
import { expect, test } from 'vitest';
import { makeUser } from '../http/fixture.ts';
import { channelOf, readyIn } from './amqp-client.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

async function send(channel: ConfirmChannel, queue: string, ...bodies: readonly string[]): Promise<void> {
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
}

describeConsole('queues in a browser', () => {
  test('a queue is added, gets messages, is looked into, and purged', async () => {
    const broker = { settings: { metrics: { sampleMs: 1000 } } };
    const { page, ...api } = await openConsole({ path: '/queues', broker });
    const channel = await channelOf(api);
    await page.getByRole('button', { name: 'Add queue' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add queue' });
    await dialog.getByLabel('Name').fill('inbox');
    await dialog.getByLabel('Type', { exact: true }).first().selectOption('quorum');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByLabel('Key').fill('x-max-length');
    await dialog.getByLabel('Value').fill('10');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'inbox', level: 1 }).waitFor();
    await page.getByText('No message is here').waitFor();
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByText('x-max-length', { exact: true }).waitFor();

    await page.getByRole('tab', { name: 'Publish' }).click();
    await page.getByLabel('Body').fill('{"hello":"world"}');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText('The message is published').waitFor();
    await page.getByRole('tab', { name: 'Charts' }).click();
    await page.locator('.chart').first().waitFor();
    await page.getByRole('tab', { name: /Messages/ }).click();
    await page.getByRole('button', { name: /Show message/ }).click();
    await page.getByRole('dialog').getByText('"hello": "world"').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await checkLook(page, 'queue', 'tbody tr');
    // Looking has delivered nothing.
    expect(await channel.get('inbox', { noAck: false })).toMatchObject({ fields: { redelivered: false } });
    await channel.recover();

    await page.getByRole('button', { name: 'Purge' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click();
    await page.getByText('The messages are deleted').waitFor();
    expect(await readyIn(channel, 'inbox')).toBe(0);
  });

  test('messages are found by text, moved and deleted', async () => {
    const { page, go, ...api } = await openConsole();
    const channel = await channelOf(api);
    for (const queue of ['from', 'to']) await channel.assertQueue(queue, { durable: true });
    await send(channel, 'from', 'apple', 'banana', 'cherry');
    await go('/queues/%2F/from');
    await page.getByText('banana').waitFor();
    await page.getByRole('searchbox', { name: 'Find text' }).fill('an');
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await page.locator('tbody').getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Move 1 message' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move 1 message' });
    await dialog.getByLabel('Name').fill('to');
    await dialog.getByRole('button', { name: 'Start' }).click();
    const progress = page.getByRole('dialog', { name: 'Messages move' });
    await progress.getByText('done').waitFor();
    await progress.getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('No message matches').waitFor();
    expect([await readyIn(channel, 'from'), await readyIn(channel, 'to')]).toEqual([2, 1]);

    await page.getByRole('searchbox', { name: 'Find text' }).fill('');
    await page.getByText('cherry').waitFor();
    await page.locator('tbody').getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Delete 1 message' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete message' }).click();
    await page.getByText('1 message deleted').waitFor();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);

    await page.getByRole('button', { name: 'Move messages' }).click();
    const all = page.getByRole('dialog', { name: 'Move messages' });
    await all.getByLabel('Name').fill('to');
    await all.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('dialog', { name: 'Messages move' }).getByText('done').waitFor();
    expect([await readyIn(channel, 'from'), await readyIn(channel, 'to')]).toEqual([0, 2]);
  });

  test('a message leads to its trace, and a queue to where its dead letters go', async () => {
    const { page, ...api } = await openConsole();
    const channel = await channelOf(api);
    await channel.assertQueue('inbox', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
    channel.sendToQueue('inbox', Buffer.from('hello'), { messageId: 'first' });
    await channel.waitForConfirms();
    await page.goto('/queues/%2F/inbox?tab=details');
    expect(await page.getByRole('link', { name: 'dead', exact: true }).getAttribute('href')).toBe('/queues/%2F/dead');
    await page.getByRole('tab', { name: /^Messages/ }).click();
    await page.getByRole('button', { name: /hello/ }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'Show its way' }).click();
    await page.waitForURL('**/traces?message_id=first');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('a move that goes slowly is stopped', async () => {
    const { page, go, ...api } = await openConsole();
    const channel = await channelOf(api);
    for (const queue of ['from', 'to']) await channel.assertQueue(queue, { durable: true });
    await send(channel, 'from', ...Array.from({ length: 100 }, (_, i) => `m${i}`));
    await go('/queues/%2F/from');
    await page.getByRole('button', { name: 'Move messages' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move messages' });
    await dialog.getByLabel('Name').fill('to');
    await dialog.getByLabel('Messages a second').fill('1');
    await dialog.getByRole('button', { name: 'Start' }).click();
    const progress = page.getByRole('dialog', { name: 'Messages move' });
    await progress.getByText('running').waitFor();
    await progress.getByRole('button', { name: 'Stop' }).click();
    await progress.getByText('stopped').waitFor();
    expect((await readyIn(channel, 'from')) + (await readyIn(channel, 'to'))).toBe(100);
  });

  test('consumers and bindings of a queue; a binding is added and removed; the queue is deleted by its name', async () => {
    const { page, go, ...api } = await openConsole();
    const channel = await channelOf(api);
    await channel.assertQueue('inbox');
    await channel.consume('inbox', () => {}, { consumerTag: 'the-worker' });
    await go('/queues/%2F/inbox?tab=consumers');
    await page.getByText('the-worker').waitFor();
    await page.getByRole('tab', { name: 'Bindings' }).click();
    await page.getByRole('button', { name: 'Add binding' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add binding' });
    await dialog.getByLabel('From').fill('amq.topic');
    await dialog.getByLabel('Routing key').fill('orders.#');
    await dialog.getByRole('button', { name: 'Add binding' }).click();
    await page.getByText('orders.#').waitFor();
    await checkLook(page, 'queue-bindings', 'tbody tr');
    await page.getByRole('button', { name: 'Remove binding' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove binding' }).click();
    await expect.poll(() => page.getByText('orders.#').count()).toBe(0);

    await page.getByRole('button', { name: 'Delete queue' }).click();
    const sure = page.getByRole('dialog', { name: 'Delete queue' });
    expect(await sure.getByRole('button', { name: 'Delete queue' }).isDisabled()).toBe(true);
    await sure.getByLabel('Type “inbox” to confirm').fill('inbox');
    await sure.getByRole('button', { name: 'Delete queue' }).click();
    await page.getByText('There is no queue').waitFor();
  });

  test('thousands of queues are filtered and paged; several are deleted at once', async () => {
    const { page, go, ...api } = await openConsole();
    const channel = await channelOf(api);
    for (let at = 0; at < 120; at++) await channel.assertQueue(`queue-${String(at).padStart(3, '0')}`);
    await send(channel, 'queue-077', 'x');
    await go('/queues?sort=messages&reverse=1&size=25');
    await page.getByText('120 items').waitFor();
    await expect.poll(() => page.locator('tbody tr').first().textContent()).toContain('queue-077');
    await checkLook(page, 'queues', 'tbody tr');
    await page.getByRole('searchbox').fill('queue-01');
    await page.getByText('10 of 120 match').waitFor();
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await page.getByRole('button', { name: 'Delete 10 queues' }).click();
    await page.getByLabel('Type “10” to confirm').fill('10');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete queue' }).click();
    await page.getByText('10 queues deleted').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.getByText('110 items').waitFor();
  });

  test('what the user may not do is said', async () => {
    const { page: _, ...api } = await openConsole();
    const channel = await channelOf(api);
    await channel.assertQueue('inbox');
    await makeUser(api, 'looker', 'management', ['/']);
    await api.ask('PUT', '/api/permissions/%2F/looker', { configure: '', write: '', read: '^none$' });
    const { page } = await openConsole({ api, as: 'looker:looker', path: '/queues/%2F/inbox' });
    await page.getByText('You may not do this').waitFor();
    await page.getByRole('button', { name: 'Purge' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click();
    await page.getByRole('alert').getByText('read access to queue').first().waitFor();
  });
});
