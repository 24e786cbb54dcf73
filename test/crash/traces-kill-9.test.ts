import amqp from 'amqplib';
import { expect, test } from 'vitest';
import type { Trace, TraceSearch, TraceSettingsState } from '../../src/protocols/http/shapes/traces.ts';
import { SluiceProcess, temporaryDirectory } from '../cli/sluice.ts';
import { asking } from '../http/fixture.ts';

async function start(directory: string) {
  const listeners = ['--listen', 'http://127.0.0.1:0', '--listen', 'amqp://127.0.0.1:0'];
  const broker = new SluiceProcess(['start', '--data', directory, '--log-level', 'warn', ...listeners]);
  const [, address] = await broker.says(/^sluice ready .*?\bamqp:\/\/([\d.:]+)/m);
  const [, http] = await broker.says(/^sluice ready .*?\bhttp:\/\/([\d.:]+)/m);
  const ask = asking(`http://${http}`);
  const ids = async () =>
    ((await ask('GET', '/api/traces')).body as TraceSearch).traces.map(({ message_id: id }) => id);
  return { broker, ask, ids, url: `amqp://guest:guest@${address}` };
}

async function publish(url: string, messageId: string): Promise<void> {
  const connection = await amqp.connect(url);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('q');
  channel.sendToQueue('q', Buffer.from('x'), { messageId, persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

test('after kill -9, settings are what they were, and what was written down and durable is found', {
  timeout: 60_000,
}, async () => {
  const directory = await temporaryDirectory();
  const first = await start(directory);
  expect((await first.ask('PUT', '/api/traces/settings', { mode: 'all' })).status).toBe(200);
  await publish(first.url, 'before');
  // To look for it has it appended; what is confirmed after that is durable only if that is.
  expect(await first.ids()).toEqual(['before']);
  await publish(first.url, 'witness');
  await first.broker.stop('SIGKILL');

  const second = await start(directory);
  const settings = (await second.ask('GET', '/api/traces/settings')).body as TraceSettingsState;
  expect(settings).toMatchObject({ mode: 'all', overridden: true });
  expect(await second.ids()).toContain('before');
  await publish(second.url, 'after');
  const found = (await second.ask('GET', '/api/traces?message_id=before')).body as TraceSearch;
  const trace = (await second.ask('GET', `/api/traces/${found.traces[0]?.trace}`)).body as Trace;
  expect(trace.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['published', 'stored', 'durable']));
  // Delivered after the crash: one trace, over both lives.
  const connection = await amqp.connect(second.url);
  const channel = await connection.createChannel();
  const message = await channel.get('q');
  if (message !== false) channel.ack(message);
  await channel.checkQueue('q');
  await connection.close();
  const whole = (await second.ask('GET', `/api/traces/${found.traces[0]?.trace}`)).body as Trace;
  expect(whole.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['published', 'delivered', 'acknowledged']),
  );
  const ids = await second.ids();
  expect(new Set(ids)).toContain('after');
});
