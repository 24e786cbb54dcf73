import { Kafka, logLevel, type Message } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { type ApiBroker, makeUser } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

function kafkaOf({ sluice }: ApiBroker): Kafka {
  return new Kafka({
    ...{ brokers: [`127.0.0.1:${sluice.listeners[2]?.port}`], logLevel: logLevel.NOTHING },
    retry: { initialRetryTime: 20 },
  });
}

async function send(api: ApiBroker, topic: string, messages: Message[]): Promise<void> {
  const producer = kafkaOf(api).producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

describeConsole('streams in a browser', () => {
  test('a stream is created, found among others, given partitions and settings, trimmed and deleted', async () => {
    const { page, ...api } = await openConsole({ path: '/streams' });
    await page.getByRole('button', { name: 'Add stream' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add stream' });
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByText('Fill this in').waitFor();
    await dialog.getByLabel('Name').fill('bad name');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Name').fill('orders');
    await dialog.getByLabel('Partitions').fill('2');
    await dialog.getByLabel('Retention, hours').fill('48');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'orders', level: 1 }).waitFor();
    expect((await api.ask('GET', '/api/streams/orders')).body).toMatchObject({
      ...{ partitions: 2, retention_ms: 48 * 3_600_000 },
    });

    await page.getByRole('button', { name: 'Add partitions' }).click();
    await page.getByLabel('Partitions in all').fill('4');
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('There are 4 partitions now').waitFor();

    await page.getByRole('tab', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Edit retention.ms' }).click();
    await page.getByRole('dialog').getByLabel('Value').fill('soon');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Use the default' }).click();
    await page.getByText('retention.ms is changed').waitFor();
    expect((await api.ask('GET', '/api/streams/orders')).body).toMatchObject({ retention_ms: 604_800_000 });
    await checkLook(page, 'stream-settings', 'tbody tr');

    await send(api, 'orders', [
      { partition: 0, value: 'a' },
      { partition: 1, value: 'b' },
    ]);
    await page.getByRole('tab', { name: /^Partitions/ }).click();
    await page.getByRole('link', { name: '3', exact: true }).waitFor();
    await checkLook(page, 'stream-partitions', 'tbody tr');
    await page.getByRole('button', { name: 'Trim' }).click();
    const trim = page.getByRole('dialog', { name: 'Remove old records' });
    await trim.getByLabel('Remove all records').selectOption('all');
    await trim.getByRole('button', { name: 'Trim' }).click();
    await page.getByText('The records are removed').waitFor();
    expect((await api.ask('GET', '/api/streams/orders')).body).toMatchObject({ records: 0 });

    await page.goto('/streams');
    await page.getByRole('link', { name: 'orders' }).waitFor();
    await checkLook(page, 'streams', 'tbody tr');
    await page.getByRole('link', { name: 'orders' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There is no stream').waitFor();
    expect((await api.ask('GET', '/api/streams/orders')).status).toBe(404);
  });

  test('records are found by page, offset, time, key and text, and seen whole', async () => {
    const { page, ...api } = await openConsole();
    await api.ask('PUT', '/api/streams/orders', { partitions: 2 });
    const messages = Array.from({ length: 70 }, (_, i) => ({
      ...{ partition: i % 2, key: `key-${i % 7}`, value: JSON.stringify({ number: i, text: 'x'.repeat(20) }) },
      ...{ timestamp: String(1_700_000_000_000 + i * 1000), headers: { source: 'shop' } },
    }));
    await send(api, 'orders', messages);
    await page.goto('/streams/orders');
    const rows = page.locator('tbody tr');
    await page.getByText('"number":69').waitFor();
    expect(await rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Further records' }).click();
    await expect.poll(() => rows.count()).toBe(20);
    await page.getByText('"number":0,').waitFor();
    await page.getByRole('button', { name: 'Back to the beginning' }).click();
    await page.getByText('"number":69').waitFor();
    await checkLook(page, 'stream-records', 'tbody tr');

    const show = page.getByRole('button', { name: 'Show', exact: true });
    await page.getByLabel('Key', { exact: true }).fill('key-3');
    await show.click();
    await expect.poll(() => rows.count()).toBe(10);
    await page.getByLabel('Contains').fill('"number":17,');
    await show.click();
    await expect.poll(() => rows.count()).toBe(1);
    expect(new URL(page.url()).searchParams.get('key')).toBe('key-3');
    await page.goto('/streams/orders?order=oldest&offset=34');
    await expect.poll(() => rows.count()).toBe(2);
    await page.goto('/streams/orders?partition=1');
    await expect.poll(() => rows.count()).toBe(35);
    await page.goto('/streams/orders?filter=none');
    await page.getByText('There is no such record').waitFor();

    await page.goto('/streams/orders?order=oldest');
    await page.getByRole('button', { name: 'Record 0 of partition 0' }).click();
    const record = page.getByRole('dialog', { name: 'Record 0 of partition 0' });
    await record.getByText('"number": 0').waitFor();
    await record.getByText('shop').waitFor();
    await record.getByRole('button', { name: 'Hex' }).first().click();
    await checkLookOfDialog(page);
  });

  test('large values are shown whole when asked, and what was aborted is marked', async () => {
    const { page, ...api } = await openConsole();
    await api.ask('PUT', '/api/streams/orders', {});
    const producer = kafkaOf(api).producer({ transactionalId: 't', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'orders', messages: [{ value: `${'ä'.repeat(5000)}end` }] });
    await transaction.abort();
    await page.goto('/streams/orders');
    await page.getByText('aborted').waitFor();
    await page.getByRole('button', { name: 'Record 0 of partition 0' }).click();
    await page.getByRole('button', { name: /^Show all/ }).click();
    await page.getByText('äääend').waitFor();
    await page.goto('/streams/orders?committed=1');
    await page.getByText('There is no such record').waitFor();
    await page.goto('/streams/orders?control=1');
    await page.getByText('abort marker').waitFor();
    await page.goto('/streams/orders?tab=producers');
    await page.locator('tbody tr').waitFor();
    await checkLook(page, 'stream-producers', 'tbody tr');
  });

  test('records are produced, and seen live as they come', async () => {
    const { page, ...api } = await openConsole();
    await api.ask('PUT', '/api/streams/orders', {});
    await page.goto('/streams/orders?tab=live');
    await page.getByText('Live', { exact: true }).last().waitFor();
    await page.getByRole('button', { name: 'Produce' }).click();
    const dialog = page.getByRole('dialog', { name: 'Produce' });
    await dialog.getByLabel('Key', { exact: true }).fill('anna');
    await dialog.getByLabel('Encoding').selectOption('json');
    await dialog.getByLabel('Value', { exact: true }).fill('{"total": ');
    await dialog.getByRole('button', { name: 'Produce' }).click();
    await dialog.getByText('This is not JSON').waitFor();
    await dialog.getByLabel('Value', { exact: true }).fill('{"total": 12}');
    await dialog.getByLabel('Headers').fill('source: console');
    await dialog.getByRole('button', { name: 'Produce' }).click();
    await page.getByText('Appended to partition 0 at offset 0').waitFor();
    await page.getByText('{"total":12}').waitFor();
    await send(api, 'orders', [{ value: 'from elsewhere' }]);
    await page.getByText('from elsewhere').waitFor();
    await checkLook(page, 'stream-live', '.table-frame');
    await page.getByText('Live', { exact: true }).last().waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const [first] = ((await api.ask('GET', '/api/streams/orders/messages')).body as { items: object[] }).items;
    expect(first).toMatchObject({
      ...{ key: { data: 'anna' }, value: { data: '{"total":12}' } },
      headers: [{ name: 'source', value: { data: 'console' } }],
    });
  });

  test('who may not do something is told', async () => {
    const { page, ...api } = await openConsole({
      ...{ as: '', broker: { settings: { kafka: { authorizer: 'acl', superUsers: ['User:guest'] } } } },
    });
    await api.ask('PUT', '/api/streams/closed', {});
    await makeUser(api, 'anna', 'management');
    await page.context().request.post('/api/session', { data: { username: 'anna', password: 'anna' } });
    await page.goto('/streams');
    await page.getByText('There is no stream').waitFor();
    await page.goto('/streams/closed');
    await page.getByText('You may not do this').waitFor();
    await page.goto('/streams/none');
    await page.getByText('You may not do this').waitFor();
  });
});

/** A dialog that is open does not outlive the reload that the whole look has. */
async function checkLookOfDialog(page: Parameters<typeof checkLook>[0]): Promise<void> {
  const { accessibilityOf, screenshot } = await import('./browser.ts');
  await screenshot(page, 'stream-record');
  expect(await accessibilityOf(page)).toEqual([]);
}
