import { describe, expect, test } from 'vitest';
import { confirmChannel, onSluice, startBroker } from './fixture.ts';
import { drain, publish, ready, take } from './messages.ts';

interface Policy {
  readonly name?: string;
  readonly pattern: string;
  readonly 'apply-to'?: string;
  readonly priority?: number;
  readonly definition: Readonly<Record<string, unknown>>;
}

async function start() {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const policies = async (...given: readonly Policy[]) => {
    const complete = given.map((policy, i) => ({
      vhost: '/',
      name: `policy-${i}`,
      'apply-to': 'all',
      priority: 0,
      ...policy,
    }));
    await broker.sluice?.importDefinitions({ policies: complete });
  };
  return { own, policies };
}

// Policies come by RabbitMQ's definitions; another broker is told of them by its own means.
describe.runIf(onSluice)('a policy', () => {
  test('holds for the queues whose names match, those that are there and those to come', async () => {
    const { own, policies } = await start();
    await own.assertQueue('jobs.old');
    await own.assertQueue('other');
    for (const queue of ['jobs.old', 'other']) await publish(own, { key: queue }, 'a', 'b', 'c');
    await policies({ pattern: '^jobs\\.', definition: { 'max-length': 2 } });
    await own.assertQueue('jobs.new');
    await publish(own, { key: 'jobs.new' }, 'a', 'b', 'c');
    expect(await drain(own, 'jobs.old')).toEqual(['b', 'c']);
    expect(await drain(own, 'jobs.new')).toEqual(['b', 'c']);
    expect(await ready(own, 'other')).toBe(3);
  });

  test('of the highest priority holds alone', async () => {
    const { own, policies } = await start();
    await own.assertQueue('q');
    await policies(
      { pattern: '.*', priority: 1, definition: { 'max-length': 1, 'dead-letter-exchange': 'amq.fanout' } },
      { pattern: '^q$', priority: 5, definition: { 'max-length': 3 } },
    );
    await own.assertQueue('dead');
    await own.bindQueue('dead', 'amq.fanout', '');
    await publish(own, { key: 'q' }, 'a', 'b', 'c', 'd');
    expect(await drain(own, 'q')).toEqual(['b', 'c', 'd']);
    expect(await ready(own, 'dead')).toBe(0);
  });

  test('gives way to the arguments of a queue, and of two limits the lower one holds', async () => {
    const { own, policies } = await start();
    await policies({ pattern: '.*', definition: { 'dead-letter-exchange': 'amq.direct', 'max-length': 3 } });
    const dead = { 'x-dead-letter-exchange': 'amq.fanout' };
    await own.assertQueue('fewer', { arguments: { ...dead, 'x-max-length': 1 } });
    await own.assertQueue('more', { arguments: { ...dead, 'x-max-length': 100 } });
    await own.assertQueue('by-argument');
    await own.bindQueue('by-argument', 'amq.fanout', '');
    await publish(own, { key: 'fewer' }, 'a', 'b');
    await publish(own, { key: 'more' }, 'c', 'd', 'e', 'f');
    expect([await ready(own, 'fewer'), await ready(own, 'more')]).toEqual([1, 3]);
    expect(await drain(own, 'by-argument')).toEqual(['a', 'c']);
  });

  test('is changed for what is there', async () => {
    const { own, policies } = await start();
    await own.assertQueue('q');
    await policies({ pattern: '^q$', definition: { 'max-length': 1, overflow: 'reject-publish' } });
    await publish(own, { key: 'q' }, 'a');
    await expect(publish(own, { key: 'q' }, 'b')).rejects.toThrow('nacked');
    await policies({ pattern: '^q$', definition: { 'max-length': 2, overflow: 'drop-head' } });
    await publish(own, { key: 'q' }, 'c', 'd');
    expect(await drain(own, 'q')).toEqual(['c', 'd']);
    await policies({ pattern: '^nothing$', definition: { 'max-length': 2 } });
    await publish(own, { key: 'q' }, 'e', 'f', 'g');
    expect(await ready(own, 'q')).toBe(3);
  });

  test('may say where dead letters go, by which key', async () => {
    const { own, policies } = await start();
    await own.assertQueue('q');
    await own.assertQueue('dead');
    await own.bindQueue('dead', 'amq.direct', 'died');
    await policies({
      pattern: '^q$',
      'apply-to': 'queues',
      definition: { 'dead-letter-exchange': 'amq.direct', 'dead-letter-routing-key': 'died' },
    });
    await publish(own, { key: 'q' }, 'm');
    own.reject(await take(own, 'q'), false);
    await expect.poll(() => ready(own, 'dead')).toBe(1);
  });

  test('may say which exchange is the alternate of others, and only of exchanges', async () => {
    const { own, policies } = await start();
    await own.assertExchange('orders', 'direct');
    await own.assertQueue('rest');
    await own.bindQueue('rest', 'amq.fanout', '');
    await policies({ pattern: '^orders', 'apply-to': 'exchanges', definition: { 'alternate-exchange': 'amq.fanout' } });
    await publish(own, { exchange: 'orders', key: 'unknown' }, 'm');
    expect(await drain(own, 'rest')).toEqual(['m']);
  });
});
