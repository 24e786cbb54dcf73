import { expect, test } from 'vitest';
import { startApi } from './fixture.ts';
import { parseScrape } from './scrape.ts';

const QUEUES = 10_000;
const SCRAPES = 20;
const SCRAPE_SECONDS = 15;

test('what a scrape costs with 10,000 queues is printed', async () => {
  const api = await startApi();
  const queues = Array.from({ length: QUEUES }, (_, i) => ({
    ...{ name: `orders.of.customer.${i}`, vhost: '/', durable: false, auto_delete: false, arguments: {} },
  }));
  await api.sluice.importDefinitions({ queues });
  const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` };
  const scrape = async () => Buffer.from(await (await fetch(`${api.url}/metrics`, { headers })).arrayBuffer());
  const first = await scrape();
  const told = parseScrape(first.toString()).series.filter(({ name }) => name === 'sluice_queue_messages_ready');
  expect(told).toHaveLength(QUEUES);
  const before = process.cpuUsage();
  for (let i = 0; i < SCRAPES; i++) await scrape();
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000 / SCRAPES;
  // With what the client does in the same process.
  const share = (ms / 1000 / SCRAPE_SECONDS) * 100;
  // biome-ignore lint/suspicious/noConsole: the figure is what it is run for
  console.log(
    `${QUEUES} queues: ${ms.toFixed(0)} ms of CPU for ${(first.length / 1e6).toFixed(1)} MB, ${share.toFixed(2)} % of a core`,
  );
});
