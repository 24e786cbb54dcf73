import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import type { ApiBroker } from '../http/fixture.ts';
import { accessibilityOf, checkLook, describeConsole, openConsole, screenshot } from './browser.ts';

function kafkaOf({ sluice }: ApiBroker): Kafka {
  return new Kafka({
    ...{ brokers: [`127.0.0.1:${sluice.listeners[2]?.port}`], clientId: 'the-shop', logLevel: logLevel.NOTHING },
    retry: { initialRetryTime: 20 },
  });
}

/** A consumer that has got everything. */
async function consume(api: ApiBroker, groupId: string): Promise<() => Promise<void>> {
  const consumer = kafkaOf(api).consumer({ groupId, maxWaitTimeInMs: 50 });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: 'work', fromBeginning: true });
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => {} });
  await expect
    .poll(async () => ((await api.ask('GET', `/api/groups/${groupId}`)).body as { lag?: number }).lag, {
      timeout: 20_000,
    })
    .toBe(0);
  return () => consumer.disconnect();
}

describeConsole('groups and transactions in a browser', () => {
  test('a group is looked at with members and lag, and its offsets are reset after a preview', async () => {
    const { page, ...api } = await openConsole({ path: '/groups' });
    await page.getByText('There is no group').waitFor();
    await api.ask('PUT', '/api/streams/work', { partitions: 2 });
    const messages = Array.from({ length: 20 }, (_, i) => ({ value: `${i}`, partition: i % 2 }));
    await api.ask('POST', '/api/streams/work/produce', { messages });
    const stop = await consume(api, 'workers');
    await page.getByRole('link', { name: 'workers' }).waitFor();
    await checkLook(page, 'groups', 'tbody tr');
    await page.getByRole('link', { name: 'workers' }).click();
    await page.getByRole('heading', { name: 'workers', level: 1 }).waitFor();
    await page.getByText('Stable').waitFor();
    expect(await page.getByRole('button', { name: 'Reset offsets' }).isDisabled()).toBe(true);
    await checkLook(page, 'group', 'tbody tr');
    await page.getByRole('tab', { name: /^Members/ }).click();
    await page.getByText('the-shop', { exact: true }).waitFor();
    await page.getByText('work (0, 1)').waitFor();
    await checkLook(page, 'group-members', 'tbody tr');

    await stop();
    await page.getByText('Empty', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Offsets' }).click();
    await page.getByRole('button', { name: 'Reset offsets' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reset offsets' });
    await dialog.getByLabel('Go on').selectOption('shift');
    await dialog.getByRole('button', { name: 'Preview' }).click();
    await dialog.getByText('Fill this in').waitFor();
    await dialog.getByLabel('By how many records').fill('-3');
    await dialog.getByRole('button', { name: 'Preview' }).click();
    await expect.poll(() => dialog.locator('tbody tr').count()).toBe(2);
    await screenshot(page, 'group-reset');
    expect(await accessibilityOf(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Reset', exact: true }).click();
    await page.getByText('2 partitions reset').waitFor();
    expect((await api.ask('GET', '/api/groups/workers')).body).toMatchObject({ lag: 6 });

    await page.getByRole('button', { name: 'Forget a stream' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget a stream' }).click();
    await page.getByText('It has no offsets').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There is no group').waitFor();
  });

  test('a transaction in flight is found, looked at and aborted', async () => {
    const { page, ...api } = await openConsole({ path: '/transactions' });
    await page.getByText('No transactional id is known').waitFor();
    await api.ask('PUT', '/api/streams/work', { partitions: 2 });
    const producer = kafkaOf(api).producer({ transactionalId: 'payments', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'work', messages: [{ partition: 1, value: 'x' }] });
    await page.getByLabel('in flight only').check();
    await page.getByRole('link', { name: 'payments' }).waitFor();
    await checkLook(page, 'transactions', 'tbody tr');
    await page.getByRole('link', { name: 'payments' }).click();
    await page.getByRole('link', { name: 'work' }).waitFor();
    await checkLook(page, 'transaction', '.facts');
    await page.getByRole('button', { name: 'Abort' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Abort' }).click();
    await page.getByText('The transaction of payments is aborted').waitFor();
    await page.getByText('It has written to no partition').waitFor();
    expect((await api.ask('GET', '/api/streams/work/messages')).body).toMatchObject({
      items: [{ transaction: 'aborted' }],
    });
  });
});
