import { describe, expect, test } from 'vitest';
import { EMPTY_TABLE } from '../messages/index.ts';
import type { ExchangeDeclaration } from './exchange-entry.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';

const X = "exchange 'x' in vhost '/'";
const NOT_DEFAULT = 'access-refused: operation not permitted on the default exchange';

test('every virtual host has the exchanges that AMQP and RabbitMQ want', async () => {
  const fixture = await HostFixture.start();
  expect([...fixture.host.exchanges()].map(({ name, type, internal }) => [name, type, internal])).toEqual([
    ['amq.direct', 'direct', false],
    ['amq.fanout', 'fanout', false],
    ['amq.topic', 'topic', false],
    ['amq.headers', 'headers', false],
    ['amq.match', 'headers', false],
    ['amq.rabbitmq.trace', 'topic', true],
  ]);
  await fixture.exchange('amq.topic', 'topic');
});

describe('declared again', () => {
  test.each<[what: string, second: Partial<ExchangeDeclaration>, text: string]>([
    ['as another type', { type: 'fanout' }, "'type' for X: received 'fanout' but current is 'direct'"],
    ['transient', { durable: false }, "'durable' for X: received 'false' but current is 'true'"],
    ['auto-delete', { autoDelete: true }, "'auto_delete' for X: received 'true' but current is 'false'"],
    ['internal', { internal: true }, "'internal' for X: received 'true' but current is 'false'"],
    [
      'with an alternate',
      { arguments: args({ 'alternate-exchange': 'b' }) },
      "'alternate-exchange' for X: received the value 'b' of type 'longstr' but current is none",
    ],
  ])('%s, it is refused', async (_what, second, text) => {
    const fixture = await HostFixture.start();
    await fixture.exchange('x', 'direct');
    expect(await refusal(() => fixture.exchange('x', second.type ?? 'direct', second))).toBe(
      `precondition-failed: inequivalent arg ${text.replace('X', X)}`,
    );
  });

  test('the same or with other arguments, it is the one that is there', async () => {
    const fixture = await HostFixture.start();
    const entry = await fixture.exchange('x', 'direct');
    expect(await fixture.exchange('x', 'direct', { arguments: args({ other: 1 }) })).toBe(entry);
  });
});

test.each<[what: string, attempt: (fixture: HostFixture) => unknown, text: string]>([
  ['an unknown type', (f) => f.exchange('x', 'bogus'), "precondition-failed: unknown exchange type 'bogus'"],
  [
    'a reserved name',
    (f) => f.exchange('amq.x', 'direct'),
    "access-refused: exchange name 'amq.x' contains reserved prefix 'amq.*'",
  ],
  ['the default exchange', (f) => f.exchange('', 'direct'), NOT_DEFAULT],
  ['to look for the default exchange', (f) => f.host.checkExchange(''), NOT_DEFAULT],
  ['to look for none', (f) => f.host.checkExchange('x'), `not-found: no ${X}`],
  ['to delete the default exchange', (f) => f.host.deleteExchange(''), NOT_DEFAULT],
  [
    'to delete a predeclared one',
    (f) => f.host.deleteExchange('amq.direct'),
    "access-refused: deletion of system exchange 'amq.direct' in vhost '/' not allowed",
  ],
  [
    'an alternate that is no name',
    (f) => f.exchange('x', 'direct', { arguments: args({ 'alternate-exchange': 1 }) }),
    `precondition-failed: invalid type 'signedint' for arg 'alternate-exchange' in ${X}`,
  ],
  [
    'a delayed one that routes like nothing',
    (f) => f.exchange('x', 'x-delayed-message', { arguments: args({ 'x-delayed-type': 'bogus' }) }),
    "precondition-failed: Invalid argument, 'x-delayed-type' must be an existing exchange type",
  ],
  ['to bind from the default exchange', (f) => f.bind('q', ''), NOT_DEFAULT],
  ['to unbind from it', (f) => f.host.unbindQueue('q', '', '', EMPTY_TABLE), NOT_DEFAULT],
  ['to bind it to another', (f) => f.host.bindExchange('', 'amq.direct', '', EMPTY_TABLE), NOT_DEFAULT],
  ['to bind from none', (f) => f.bind('q', 'x'), `not-found: no ${X}`],
  ['to bind no queue', (f) => f.bind('q', 'amq.direct'), "not-found: no queue 'q' in vhost '/'"],
  ['to bind no exchange', (f) => f.host.bindExchange('x', 'amq.direct', '', EMPTY_TABLE), `not-found: no ${X}`],
  ['to publish to none', (f) => f.publish('x', '', ''), `not-found: no ${X}`],
  [
    'to publish to an internal one',
    (f) => f.publish('amq.rabbitmq.trace', '', ''),
    "access-refused: cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'",
  ],
])('refused: %s', async (_what, attempt, text) => {
  const fixture = await HostFixture.start();
  expect(await refusal(() => attempt(fixture))).toBe(text);
});

test('a binding that the type does not allow is refused', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q');
  expect(await refusal(() => fixture.bind('q', 'amq.headers', '', args({ 'x-match': 'most' })))).toMatch(
    'precondition-failed: Invalid x-match field value',
  );
});

test('what is not bound can be unbound; what is bound twice is unbound once', async () => {
  const fixture = await HostFixture.start();
  const { host } = fixture;
  await host.unbindQueue('q', 'x', '', EMPTY_TABLE);
  await fixture.declare('q');
  await host.unbindQueue('q', 'amq.fanout', '', EMPTY_TABLE);
  await Promise.all([fixture.bind('q', 'amq.fanout'), fixture.bind('q', 'amq.fanout')]);
  expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(true);
  await host.unbindQueue('q', 'amq.fanout', '', EMPTY_TABLE);
  expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(false);
  expect([...host.bindings()]).toEqual([]);
});

test('an exchange in use is not deleted by who asks for that, nor is one that is not there an error', async () => {
  const fixture = await HostFixture.start();
  await fixture.exchange('x', 'fanout');
  await fixture.declare('q');
  await fixture.bind('q', 'x');
  expect(await refusal(() => fixture.host.deleteExchange('x', { ifUnused: true }))).toBe(
    `precondition-failed: ${X} in use`,
  );
  await fixture.host.deleteExchange('x');
  await fixture.host.deleteExchange('x');
  await fixture.exchange('x', 'fanout');
  expect(fixture.publish('x', '', 'm').routed).toBe(false);
});

test('auto-delete exchanges go one after the other as the last binding of each goes', async () => {
  const fixture = await HostFixture.start();
  for (const name of ['a', 'b', 'c']) await fixture.exchange(name, 'fanout', { autoDelete: name !== 'a' });
  await fixture.declare('q');
  await fixture.declare('other');
  await fixture.host.bindExchange('b', 'a', '', EMPTY_TABLE);
  await fixture.host.bindExchange('c', 'b', '', EMPTY_TABLE);
  await fixture.bind('q', 'c');
  await fixture.bind('other', 'c');
  await fixture.host.unbindQueue('other', 'c', '', EMPTY_TABLE);
  expect(fixture.host.exchange('c')).toBeDefined();
  await fixture.host.deleteQueue('q');
  const left = () => ['a', 'b', 'c'].filter((name) => fixture.host.exchange(name) !== undefined);
  expect(left()).toEqual(['a']);
  expect([...fixture.host.bindings()]).toEqual([]);
  await fixture.restart();
  expect(left()).toEqual(['a']);
});

test('a loop of auto-delete exchanges goes as a whole', async () => {
  const fixture = await HostFixture.start();
  for (const name of ['a', 'b']) await fixture.exchange(name, 'fanout', { autoDelete: true });
  await fixture.host.bindExchange('b', 'a', '', EMPTY_TABLE);
  await fixture.host.bindExchange('a', 'b', '', EMPTY_TABLE);
  await fixture.host.unbindExchange('b', 'a', '', EMPTY_TABLE);
  expect(fixture.host.exchange('a')).toBeUndefined();
  expect(fixture.host.exchange('b')).toBeUndefined();
});
