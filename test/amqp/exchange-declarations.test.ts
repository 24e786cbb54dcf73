import type { Channel, Options } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, fresh, onSluice, startBroker } from './fixture.ts';
import { refusal } from './refusal.ts';

const DECLARE = '40.10';
const DELETE = '40.20';

test.each(['direct', 'fanout', 'topic', 'headers'])(
  'a virtual host begins with an exchange of type %s',
  async (type) => {
    const broker = await startBroker();
    const own = await channel(broker);
    await own.assertExchange(`amq.${type}`, type);
    if (type === 'headers') await own.assertExchange('amq.match', type);
  },
);

describe('an exchange that is declared again as another is refused', () => {
  test.each<[what: string, type: string, options: Options.AssertExchange, text: string]>([
    ['type', 'fanout', {}, "'type' for EXCHANGE: received 'fanout' but current is 'direct'"],
    ['durable', 'direct', { durable: false }, "'durable' for EXCHANGE: received 'false' but current is 'true'"],
    [
      'auto-delete',
      'direct',
      { autoDelete: true },
      "'auto_delete' for EXCHANGE: received 'true' but current is 'false'",
    ],
    ['internal', 'direct', { internal: true }, "'internal' for EXCHANGE: received 'true' but current is 'false'"],
    [
      'alternate exchange',
      'direct',
      { alternateExchange: 'b' },
      "'alternate-exchange' for EXCHANGE: received the value 'b' of type 'longstr' but current is none",
    ],
  ])('%s', async (_what, type, options, text) => {
    const broker = await startBroker();
    const exchange = fresh('x');
    const own = await channel(broker);
    await own.assertExchange(exchange, 'direct');
    await own.assertExchange(exchange, 'direct');
    expect(await refusal(own, () => own.assertExchange(exchange, type, options))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - inequivalent arg ${text.replace('EXCHANGE', `exchange '${exchange}' in vhost '/'`)}`,
      method: DECLARE,
    });
  });
});

test.each<[what: string, attempt: (own: Channel) => unknown, code: number, text: string, method: string]>([
  ['a missing one', (own) => own.checkExchange('nope'), 404, "NOT_FOUND - no exchange 'nope' in vhost '/'", DECLARE],
  [
    'a reserved name',
    (own) => own.assertExchange('amq.foo', 'direct'),
    403,
    "ACCESS_REFUSED - exchange name 'amq.foo' contains reserved prefix 'amq.*'",
    DECLARE,
  ],
  [
    'another type of a predeclared one',
    (own) => own.assertExchange('amq.direct', 'topic'),
    406,
    "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': received 'topic' but current is 'direct'",
    DECLARE,
  ],
  [
    'the default exchange',
    (own) => own.assertExchange('', 'direct'),
    403,
    'ACCESS_REFUSED - operation not permitted on the default exchange',
    DECLARE,
  ],
  [
    'the default exchange, to look whether it is there',
    (own) => own.checkExchange(''),
    403,
    'ACCESS_REFUSED - operation not permitted on the default exchange',
    DECLARE,
  ],
  [
    'deleting the default exchange',
    (own) => own.deleteExchange(''),
    403,
    'ACCESS_REFUSED - operation not permitted on the default exchange',
    DELETE,
  ],
  [
    'deleting a predeclared one',
    (own) => own.deleteExchange('amq.direct'),
    403,
    "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed",
    DELETE,
  ],
])('refused: %s', async (_what, attempt, code, text, method) => {
  const broker = await startBroker();
  expect(await refusal(await channel(broker), attempt)).toEqual({ code, text, method });
});

test('an alternate exchange that is not a name is refused', async () => {
  const broker = await startBroker();
  const exchange = fresh('x');
  const options = { arguments: { 'alternate-exchange': 1 } };
  expect(await refusal(await channel(broker), (own) => own.assertExchange(exchange, 'direct', options))).toEqual({
    code: 406,
    text: `PRECONDITION_FAILED - invalid type 'byte' for arg 'alternate-exchange' in exchange '${exchange}' in vhost '/'`,
    method: DECLARE,
  });
});

// As RabbitMQ 4 does; 3.x closes the connection with 503.
test.runIf(onSluice)('a type that there is not is refused', async () => {
  const own = await channel(await startBroker());
  expect(await refusal(own, () => own.assertExchange(fresh('x'), 'bogus'))).toEqual({
    code: 406,
    text: "PRECONDITION_FAILED - unknown exchange type 'bogus'",
    method: DECLARE,
  });
});

test('an exchange in use is not deleted by who asks for that; one that is not there is deleted without a word', async () => {
  const broker = await startBroker();
  const own = await channel(broker);
  const exchange = fresh('x');
  await own.assertExchange(exchange, 'direct');
  const { queue } = await own.assertQueue('', { exclusive: true });
  await own.bindQueue(queue, exchange, 'k');
  expect(await refusal(await channel(broker), (other) => other.deleteExchange(exchange, { ifUnused: true }))).toEqual({
    code: 406,
    text: `PRECONDITION_FAILED - exchange '${exchange}' in vhost '/' in use`,
    method: DELETE,
  });
  await own.deleteExchange(exchange);
  await own.deleteExchange(exchange);
  expect((await refusal(own, () => own.checkExchange(exchange))).code).toBe(404);
});

test('an auto-delete exchange goes with its last binding, and not before there was one', async () => {
  const broker = await startBroker();
  const own = await channel(broker);
  const exchange = fresh('x');
  await own.assertExchange(exchange, 'fanout', { autoDelete: true });
  const { queue } = await own.assertQueue('', { exclusive: true });
  const { queue: other } = await own.assertQueue('', { exclusive: true });
  await own.bindQueue(queue, exchange, '');
  await own.bindQueue(other, exchange, '');
  await own.unbindQueue(queue, exchange, '');
  await own.checkExchange(exchange);
  await own.deleteQueue(other);
  expect((await refusal(own, () => own.checkExchange(exchange))).code).toBe(404);
});
