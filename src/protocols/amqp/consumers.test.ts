import { expect, test } from 'vitest';
import { MessageBytes } from '../../broker/index.ts';
import { type ChannelConsumer, type ConsumeOptions, Consumers, type DeliveryOutput } from './consumers.ts';

class FakeOutput implements DeliveryOutput {
  congested = false;
  readonly frames: string[] = [];
  #relieved: (() => void)[] = [];

  onRelieved(callback: () => void): void {
    this.#relieved.push(callback);
  }

  relieve(): void {
    this.congested = false;
    for (const callback of this.#relieved.splice(0)) callback();
  }

  deliver(consumerTag: Buffer, deliveryTag: number): void {
    this.frames.push(`${consumerTag.toString('utf8', 1)} ${deliveryTag}`);
  }

  consumerCancelled(tag: string): void {
    this.frames.push(`cancel ${tag}`);
  }
}

/** A queue that never runs out, as consumers see it. */
class EndlessQueue {
  readonly settled: string[] = [];
  readonly consumers = new Set<ChannelConsumer>();
  #next = 0;
  readonly #message = new MessageBytes();

  subscribe(consumer: ChannelConsumer) {
    this.consumers.add(consumer);
    return { wake: () => this.pump(), cancel: () => void this.consumers.delete(consumer) };
  }

  /** Gives each consumer what it can take. Stops where a real one would go on for ever. */
  pump(limit = 1000): void {
    for (const consumer of this.consumers) {
      for (let i = 0; i < limit && consumer.canTake(); i++) this.#deliver(consumer);
    }
  }

  #deliver(consumer: ChannelConsumer): void {
    const number = this.#next++;
    const delivery = {
      redelivered: false,
      deliveryCount: 0,
      acknowledge: () => void this.settled.push(`ack ${number}`),
      requeue: () => void this.settled.push(`requeue ${number}`),
      reject: () => void this.settled.push(`reject ${number}`),
    };
    consumer.deliver(delivery, this.#message);
  }
}

const OPTIONS: ConsumeOptions = {
  tag: 'a',
  queue: 'q',
  arguments: new Map(),
  noAck: false,
  exclusive: false,
  priority: 0,
  prefetch: 0,
  countsDeliveries: false,
};

function start(maxUnacknowledged = 1000) {
  const output = new FakeOutput();
  const queue = new EndlessQueue();
  const consumers = new Consumers(output, maxUnacknowledged);
  const consume = (options: Partial<ConsumeOptions>) =>
    consumers.add({ ...OPTIONS, ...options }, (consumer) => queue.subscribe(consumer));
  return { output, queue, consumers, consume };
}

test('a consumer has as many messages as its prefetch allows, and gets the next for each that is settled', () => {
  const { output, queue, consumers, consume } = start();
  consume({ tag: 'a', prefetch: 2 });
  consume({ tag: 'b', prefetch: 1 });
  queue.pump();
  expect(output.frames).toEqual(['a 1', 'a 2', 'b 3']);
  consumers.acknowledge(2, false);
  consumers.reject(3, false);
  expect(output.frames.slice(3)).toEqual(['a 4', 'b 5']);
  expect(queue.settled).toEqual(['ack 1', 'reject 2']);
});

test('what all consumers of a channel have is limited together', () => {
  const { output, queue, consumers, consume } = start();
  consumers.channelPrefetch = 3;
  consume({ tag: 'a', prefetch: 2 });
  consume({ tag: 'b' });
  queue.pump();
  expect(output.frames).toEqual(['a 1', 'a 2', 'b 3']);
  consumers.acknowledge(2, true);
  expect(output.frames).toHaveLength(5);
  consumers.channelPrefetch = 4;
  expect(output.frames).toHaveLength(6);
});

test('nobody has more than the limit of the channel, whoever asked for no limit', () => {
  const { output, queue, consumers, consume } = start(5);
  consume({});
  queue.pump();
  expect(output.frames).toHaveLength(5);
  expect(() => consumers.took(DELIVERY)).toThrow('more than 5 unacknowledged messages');
  consumers.acknowledge(1, false);
  expect(output.frames).toHaveLength(6);
});

const DELIVERY = { acknowledge() {}, requeue() {}, reject() {} };

test('without acknowledgements there is no limit but what the connection can take', () => {
  const { output, queue, consumers, consume } = start(5);
  consume({ noAck: true, prefetch: 1 });
  queue.pump(20);
  expect(output.frames).toHaveLength(20);
  expect(consumers.unacknowledgedCount).toBe(0);
  output.congested = true;
  queue.pump(20);
  expect(output.frames).toHaveLength(20);
  output.relieve();
  expect(output.frames.length).toBeGreaterThan(20);
});

test('nothing comes while the client has stopped the flow', () => {
  const { output, queue, consumers, consume } = start(5);
  consumers.flowing = false;
  consume({});
  queue.pump();
  expect(output.frames).toEqual([]);
  consumers.flowing = true;
  expect(output.frames).toHaveLength(5);
});

test('a tag that is not outstanding is unknown', () => {
  const { queue, consumers, consume } = start();
  consume({ prefetch: 3 });
  queue.pump();
  expect(() => consumers.acknowledge(80, false)).toThrow('unknown delivery tag 80');
  consumers.acknowledge(1, false);
  expect(() => consumers.acknowledge(1, false)).toThrow('unknown delivery tag 1');
  expect(() => consumers.acknowledge(0, false)).toThrow('unknown delivery tag 0');
  consumers.acknowledge(0, true);
});

test('a consumer whose queue is gone is told of once, unless the client has cancelled it', () => {
  const { output, queue, consumers, consume } = start();
  consume({ tag: 'gone', prefetch: 1 });
  consume({ tag: 'cancelled', prefetch: 1 });
  const [gone, cancelled] = [...queue.consumers];
  expect(consumers.cancel('cancelled')).toBe(true);
  for (const consumer of [gone, cancelled, gone]) consumer?.cancelled();
  expect(output.frames).toEqual(['cancel gone']);
  expect(consumers.cancel('gone')).toBe(false);
});

test('what is out goes back when the channel closes, and nothing more comes', () => {
  const { output, queue, consumers, consume } = start();
  consume({ prefetch: 3 });
  queue.pump();
  consumers.acknowledge(1, false);
  consumers.close();
  queue.pump();
  expect(queue.settled).toEqual(['ack 0', 'requeue 1', 'requeue 2', 'requeue 3']);
  expect(output.frames).toHaveLength(4);
  expect(queue.consumers.size).toBe(0);
});
