import { expect, test, vi } from 'vitest';
import { QueueFixture, TestConsumer } from '../queues/fixture.contract.ts';
import { HostFixture } from '../virtual-hosts/fixture.contract.ts';
import { Tracing } from './tracing.ts';

/** What is called while something happens, of everything that tracing can be asked. */
function calls() {
  const names = Object.getOwnPropertyNames(Tracing.prototype) as (keyof Tracing)[];
  const methods = names.filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(Tracing.prototype, name) ?? {};
    return typeof value === 'function' && name !== ('constructor' as keyof Tracing);
  });
  const spies = methods.map((name) => vi.spyOn(Tracing.prototype, name as 'acknowledged'));
  return () => methods.filter((_, i) => (spies[i]?.mock.calls.length ?? 0) > 0);
}

test('while nobody wants to know, a look at a field is all: nothing is called when queues deliver, settle and lose messages', async () => {
  const called = calls();
  const fixture = await new QueueFixture().start();
  const queue = await fixture.queue('q', { deadLetterExchange: 'dlx', messageTtlMs: 1000 });
  const consumer = new TestConsumer(queue);
  for (let i = 0; i < 4; i++) fixture.publish(queue, `${i}`);
  await fixture.settled();
  consumer.received[0]?.delivery.acknowledge();
  consumer.received[1]?.delivery.reject();
  consumer.received[2]?.delivery.requeue();
  await fixture.settled();
  consumer.consumer.cancel();
  consumer.received[3]?.delivery.requeue();
  await fixture.clock.advance(2000);
  await fixture.settled();
  expect(fixture.deadLetters.length).toBeGreaterThan(1);
  expect(called()).toEqual([]);
});

test('nor when exchanges route, and turns end', async () => {
  const called = calls();
  const fixture = await HostFixture.start();
  await fixture.declare('q');
  await fixture.bind('q', 'amq.direct', 'k');
  fixture.publish('amq.direct', 'k', 'routed');
  fixture.publish('amq.direct', 'other', 'unroutable');
  await fixture.settled();
  expect(called()).toEqual([]);
});
