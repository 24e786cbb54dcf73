import { describe, expect, onTestFinished, test } from 'vitest';
import type { Running, TutorialClient } from './clients/client.ts';
import { fresh, startBroker, until } from './fixture.ts';

const texts = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`);

/** The end of the test stops it, whatever became of the test. */
async function started(starting: Promise<Running>): Promise<Running> {
  const program = await starting;
  onTestFinished(() => program.stop().catch(() => {}));
  return program;
}

/** The shapes of RabbitMQ's tutorials, with programs of one client on one side and of another on the other. */
export function describeTutorials(producer: TutorialClient, consumer: TutorialClient): void {
  describe(`from ${producer.name} to ${consumer.name}`, () => {
    test('hello world: what is sent to a queue by its name comes to its consumer, in order', async () => {
      const { url } = await startBroker();
      const queue = { name: fresh('hello'), durable: false };
      const bodies = texts(100);
      await producer.send(url, queue, bodies);
      const receiver = await started(consumer.work(url, queue, 'acknowledge'));
      await until(() => receiver.lines.length >= bodies.length);
      expect(receiver.lines).toEqual(bodies.map((body) => `${queue.name} ${body}`));
    });

    test('work queue: a busy worker gets no second task, and another gets its first when it goes', async () => {
      const { url } = await startBroker();
      const queue = { name: fresh('tasks'), durable: true };
      const tasks = texts(20);
      const busy = await started(consumer.work(url, queue, 'hold'));
      await producer.send(url, queue, tasks.slice(0, 1));
      await until(() => busy.lines.length === 1);
      const free = await started(consumer.work(url, queue, 'acknowledge'));
      await producer.send(url, queue, tasks.slice(1));
      await until(() => free.lines.length === tasks.length - 1);
      expect(free.lines).toEqual(tasks.slice(1).map((task) => `${queue.name} ${task}`));
      await busy.stop();
      await until(() => free.lines.length === tasks.length);
      expect(busy.lines).toEqual([free.lines.at(-1)]);
    });

    test('publish and subscribe: a fanout exchange gives every subscriber every message, and nothing from before', async () => {
      const { url } = await startBroker();
      const exchange = { name: fresh('logs'), type: 'fanout' } as const;
      await producer.emit(url, exchange, [['', 'too early']]);
      const [one, other] = [
        await started(consumer.subscribe(url, exchange, [''])),
        await started(consumer.subscribe(url, exchange, [''])),
      ];
      const bodies = texts(20);
      await producer.emit(
        url,
        exchange,
        bodies.map((body) => ['', body]),
      );
      await until(() => one.lines.length + other.lines.length >= 2 * bodies.length);
      expect(one.lines).toEqual(bodies.map((body) => ` ${body}`));
      expect(other.lines).toEqual(one.lines);
    });

    test('routing: a direct exchange gives each subscriber what it asked for', async () => {
      const { url } = await startBroker();
      const exchange = { name: fresh('direct_logs'), type: 'direct' } as const;
      const all = await started(consumer.subscribe(url, exchange, ['info', 'warning', 'error']));
      const errors = await started(consumer.subscribe(url, exchange, ['error']));
      const severities = ['info', 'error', 'debug', 'warning', 'error'];
      await producer.emit(
        url,
        exchange,
        severities.map((severity, i) => [severity, `message ${i}`]),
      );
      await until(() => all.lines.length >= 4 && errors.lines.length >= 2);
      expect(all.lines).toEqual(['info message 0', 'error message 1', 'warning message 3', 'error message 4']);
      expect(errors.lines).toEqual(['error message 1', 'error message 4']);
    });

    test('topics: subscribers name words, any word and any number of words', async () => {
      const { url } = await startBroker();
      const exchange = { name: fresh('topic_logs'), type: 'topic' } as const;
      const orange = await started(consumer.subscribe(url, exchange, ['*.orange.*']));
      const lazy = await started(consumer.subscribe(url, exchange, ['*.*.rabbit', 'lazy.#']));
      const keys = [
        'quick.orange.rabbit',
        'lazy.orange.elephant',
        'quick.orange.fox',
        'lazy.brown.fox',
        'lazy.pink.rabbit',
        'quick.brown.fox',
        'orange',
        'quick.orange.new.rabbit',
        'lazy.orange.new.rabbit',
        'lazy',
      ];
      await producer.emit(
        url,
        exchange,
        keys.map((key) => [key, 'x']),
      );
      await until(() => orange.lines.length >= 3 && lazy.lines.length >= 6);
      expect(orange.lines).toEqual(keys.slice(0, 3).map((key) => `${key} x`));
      expect(lazy.lines).toEqual([0, 1, 3, 4, 8, 9].map((i) => `${keys[i]} x`));
    });

    test('remote procedure call: each question has its answer', async () => {
      const { url } = await startBroker();
      const queue = fresh('rpc_queue');
      const server = await started(consumer.serve(url, queue));
      expect(await producer.call(url, queue, [0, 1, 2, 10, 30])).toEqual([0, 1, 1, 55, 832_040]);
      expect(server.lines).toEqual([0, 1, 2, 10, 30].map((n) => `${queue} ${n}`));
    });

    test('publisher confirms: what is confirmed is there', async () => {
      const { url } = await startBroker();
      const queue = { name: fresh('confirmed'), durable: true };
      const bodies = texts(100);
      await producer.confirm(url, queue.name, bodies);
      const receiver = await started(consumer.work(url, queue, 'acknowledge'));
      await until(() => receiver.lines.length >= bodies.length);
      expect(receiver.lines).toEqual(bodies.map((body) => `${queue.name} ${body}`));
    });
  });
}
