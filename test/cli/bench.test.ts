import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { sluice } from './sluice.ts';

interface Figures {
  readonly produced: {
    readonly messages: number;
    readonly per_second: number;
    readonly latency: { readonly p50: number };
  };
  readonly consumed: { readonly messages: number; readonly latency: { readonly p50: number } | null };
}

test.each([
  ['kafka', ['--partitions', '2', '--producers', '2', '--consumers', '2', '--batch', '7']],
  ['amqp', ['--producers', '2', '--consumers', '2', '--in-flight', '7', '--prefetch', '5']],
] as const)('a load over %s on a broker that runs is measured, and leaves nothing behind', async (protocol, more) => {
  const broker = await ManagedBroker.start();
  const args = [
    'bench',
    protocol,
    '--broker',
    broker[protocol],
    '--messages',
    '500',
    '--size',
    '100',
    ...more,
    '--json',
  ];
  const { code, stdout, stderr } = await sluice(args);
  expect([code, stderr]).toEqual([0, '']);
  const { produced, consumed } = JSON.parse(stdout) as Figures;
  expect([produced.messages, consumed.messages]).toEqual([500, 500]);
  for (const each of [produced, consumed]) expect(each.latency?.p50).toBeGreaterThan(0);
  expect(await broker.json(['queue', 'list'])).toEqual([]);
  expect(JSON.parse((await sluice(['topic', 'list', '--json', '--broker', broker.kafka])).stdout)).toEqual([]);
});

test('it starts a broker of its own, and keeps to a rate and to its time', async () => {
  const args = ['bench', 'amqp', '--memory', '--rate', '200', '--duration', '0.5', '--consumers', '0'];
  const { code, stdout } = await sluice(args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^amqp: messages of 200 B, 1 producer, 0 consumers\n/);
  const [, messages] = /^produced +(\d+)/m.exec(stdout) ?? [];
  expect(Number(messages)).toBeLessThanOrEqual(100);
  expect(Number(messages)).toBeGreaterThan(0);
});

test('a broker that is not there, and limits, are told', async () => {
  const gone = await sluice(['bench', 'kafka', '--broker', '127.0.0.1:1']);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('nothing listens there')]);
  expect(await sluice(['bench', 'amqp', '--duration', '9999'])).toMatchObject({ code: 2 });
  expect(await sluice(['bench', 'kafka', '--size', '1'])).toMatchObject({ code: 2 });
});
