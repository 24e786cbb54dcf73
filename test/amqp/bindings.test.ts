import { expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker } from './fixture.ts';
import { drain, publish } from './messages.ts';
import { refusal } from './refusal.ts';

test('bound twice, a queue gets a message once; unbound once, none', async () => {
  const own = await confirmChannel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  const key = fresh('k');
  await own.bindQueue(queue, 'amq.direct', key);
  await own.bindQueue(queue, 'amq.direct', key);
  await publish(own, { exchange: 'amq.direct', key }, 'bound');
  await own.unbindQueue(queue, 'amq.direct', key);
  await publish(own, { exchange: 'amq.direct', key }, 'unbound');
  expect(await drain(own, queue)).toEqual(['bound']);
});

test('bindings that differ in their arguments are two', async () => {
  const own = await confirmChannel(await startBroker());
  const exchange = fresh('headers');
  await own.assertExchange(exchange, 'headers');
  const { queue } = await own.assertQueue('', { exclusive: true });
  await own.bindQueue(queue, exchange, '', { 'x-match': 'all', a: 1 });
  await own.bindQueue(queue, exchange, '', { 'x-match': 'all', b: 1 });
  await own.unbindQueue(queue, exchange, '', { 'x-match': 'all', a: 1 });
  await publish(own, { exchange, key: '', headers: { a: 1 } }, 'a');
  await publish(own, { exchange, key: '', headers: { b: 1 } }, 'b');
  await publish(own, { exchange, key: '', headers: { a: 1, b: 1 } }, 'both');
  expect(await drain(own, queue)).toEqual(['b', 'both']);
});

test('what nothing is bound by can be unbound; so can what is bound to nothing', async () => {
  const own = await channel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  await own.unbindQueue(queue, 'amq.direct', 'never');
  await own.unbindQueue(queue, 'nope', 'never');
  await own.unbindQueue('nope', 'amq.direct', 'never');
  await own.unbindExchange('amq.topic', 'amq.direct', 'never');
});

test('an exchange that is not there cannot be bound to', async () => {
  const own = await channel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  expect(await refusal(own, () => own.bindQueue(queue, 'nope', ''))).toEqual({
    code: 404,
    text: "NOT_FOUND - no exchange 'nope' in vhost '/'",
    method: '50.20',
  });
});

test.each(['bindQueue', 'unbindQueue'] as const)('no %s at the default exchange', async (operation) => {
  const own = await channel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  expect(await refusal(own, () => own[operation](queue, '', queue))).toEqual({
    code: 403,
    text: 'ACCESS_REFUSED - operation not permitted on the default exchange',
    method: operation === 'bindQueue' ? '50.20' : '50.50',
  });
});

test('the bindings of a deleted queue are gone, also for a new one of its name', async () => {
  const own = await confirmChannel(await startBroker());
  const [queue, key] = [fresh('q'), fresh('k')];
  await own.assertQueue(queue, { durable: false });
  await own.bindQueue(queue, 'amq.direct', key);
  await publish(own, { exchange: 'amq.direct', key }, 'one');
  await own.deleteQueue(queue);
  await own.assertQueue(queue, { durable: false, autoDelete: true });
  await publish(own, { exchange: 'amq.direct', key }, 'two');
  expect(await drain(own, queue)).toEqual([]);
});

test('the bindings of a deleted exchange are gone, also for a new one of its name', async () => {
  const own = await confirmChannel(await startBroker());
  const exchange = fresh('x');
  const { queue } = await own.assertQueue('', { exclusive: true });
  await own.assertExchange(exchange, 'fanout');
  await own.bindQueue(queue, exchange, '');
  await own.deleteExchange(exchange);
  await own.assertExchange(exchange, 'fanout');
  await publish(own, { exchange, key: '' }, 'm');
  expect(await drain(own, queue)).toEqual([]);
});

test('a route that was just taken is another as soon as a binding has changed', async () => {
  const own = await confirmChannel(await startBroker());
  const key = fresh('k');
  const [{ queue: one }, { queue: other }] = [
    await own.assertQueue('', { exclusive: true }),
    await own.assertQueue('', { exclusive: true }),
  ];
  for (let round = 0; round < 20; round++) {
    const [bound, unbound] = round % 2 === 0 ? [one, other] : [other, one];
    await own.bindQueue(bound, 'amq.topic', key);
    await own.unbindQueue(unbound, 'amq.topic', key);
    await publish(own, { exchange: 'amq.topic', key }, `${round}`);
    expect(await drain(own, bound)).toEqual([`${round}`]);
    expect(await drain(own, unbound)).toEqual([]);
  }
});
