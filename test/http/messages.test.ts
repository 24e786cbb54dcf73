import { expect, test } from 'vitest';
import { startApi } from './fixture.ts';

const LOOK = { count: 10, ackmode: 'ack_requeue_true', encoding: 'auto' };
const TAKE = { ...LOOK, ackmode: 'ack_requeue_false' };

test('a message is published, looked at and taken, with all that it has', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/queues/%2F/inbox', {});
  const properties = {
    ...{ content_type: 'text/plain', delivery_mode: 2, priority: 3, correlation_id: 'c', reply_to: 'r' },
    ...{ expiration: '60000', message_id: 'm', timestamp: 1_700_000_000, type: 't', user_id: 'guest', app_id: 'a' },
    headers: { text: 'x', number: 7, list: [1, 'two'], nested: { yes: true } },
  };
  const message = { routing_key: 'inbox', properties, payload: 'hello', payload_encoding: 'string' };
  expect(await ask('POST', '/api/exchanges/%2F/amq.default/publish', message)).toMatchObject({
    status: 200,
    body: { routed: true },
  });
  const shown = { exchange: '', routing_key: 'inbox', payload: 'hello', payload_encoding: 'string', payload_bytes: 5 };
  const look = async (how: object) => (await ask('POST', '/api/queues/%2F/inbox/get', how)).body;
  expect(await look(LOOK)).toEqual([{ ...shown, redelivered: false, message_count: 0, properties }]);
  expect(await look({ ...LOOK, truncate: 2 })).toMatchObject([{ payload: 'he', payload_bytes: 5, redelivered: true }]);
  expect(await look({ ...LOOK, encoding: 'base64', count: '1' })).toMatchObject([{ payload: 'aGVsbG8=' }]);
  expect(await look({ ...LOOK, count: 0 })).toEqual([]);
  expect(await look(TAKE)).toMatchObject([shown]);
  expect(await look(TAKE)).toEqual([]);
});

test('several messages come in their order, and go back in it', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/queues/%2F/inbox', {});
  for (const payload of ['1', '2', '3'])
    await ask('POST', '/api/exchanges/%2F/amq.default/publish', {
      ...{ routing_key: 'inbox', properties: {}, payload, payload_encoding: 'string' },
    });
  for (const ackmode of ['ack_requeue_true', 'reject_requeue_true', 'reject_requeue_false'])
    expect((await ask('POST', '/api/queues/%2F/inbox/get', { ...LOOK, ackmode })).body).toMatchObject([
      ...[{ payload: '1', message_count: 2 }, { payload: '2' }, { payload: '3', message_count: 0 }],
    ]);
  expect((await ask('GET', '/api/queues/%2F/inbox')).body).toMatchObject({ messages: 0 });
});

test('what is not text comes in base64', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/queues/%2F/inbox', {});
  const payload = Buffer.of(0xff, 0xfe).toString('base64');
  await ask('POST', '/api/exchanges/%2F/amq.default/publish', {
    ...{ routing_key: 'inbox', properties: {}, payload, payload_encoding: 'base64' },
  });
  expect((await ask('POST', '/api/queues/%2F/inbox/get', TAKE)).body).toMatchObject([
    { payload, payload_encoding: 'base64', payload_bytes: 2 },
  ]);
});

test('a message that goes nowhere, is refused by a full queue, or is wrong in itself is said to', async () => {
  const { ask } = await startApi();
  const args = { 'x-max-length': 0, 'x-overflow': 'reject-publish' };
  await ask('PUT', '/api/queues/%2F/full', { arguments: args });
  const message = { routing_key: 'none', properties: {}, payload: 'x', payload_encoding: 'string' };
  const publish = (change: object) => ask('POST', '/api/exchanges/%2F/amq.default/publish', { ...message, ...change });
  expect(await publish({})).toMatchObject({ status: 200, body: { routed: false } });
  expect(await publish({ routing_key: 'full' })).toMatchObject({
    status: 400,
    body: { reason: 'Unable to publish message. Check queue limits.' },
  });
  for (const change of [
    { payload: undefined },
    { payload: '%%', payload_encoding: 'base64' },
    { payload_encoding: 'rot13' },
    { properties: { expiration: 'soon' } },
    { properties: { user_id: 'somebody' } },
    { properties: { priority: 300 } },
    { properties: { content_type: 'x'.repeat(256) } },
    { routing_key: 'x'.repeat(256) },
  ])
    expect(await publish(change), JSON.stringify(change)).toMatchObject({ status: 400 });
  expect(await ask('POST', '/api/exchanges/%2F/none/publish', message)).toMatchObject({ status: 404 });
  expect(await ask('POST', '/api/exchanges/%2F/amq.rabbitmq.trace/publish', message)).toMatchObject({ status: 401 });
  expect(await ask('POST', '/api/queues/%2F/none/get', TAKE)).toMatchObject({ status: 404 });
  expect(await ask('POST', '/api/queues/%2F/full/get', { ...TAKE, ackmode: 'maybe' })).toMatchObject({ status: 400 });
  expect(await ask('POST', '/api/queues/%2F/full/get', {})).toMatchObject({
    body: { reason: '[{key_missing,ackmode},{key_missing,count},{key_missing,encoding}]' },
  });
});

test('streams are shown as queues, and not read in this way', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/queues/%2F/log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
  await ask('POST', '/api/exchanges/%2F/amq.default/publish', {
    ...{ routing_key: 'log', properties: {}, payload: 'x', payload_encoding: 'string' },
  });
  expect((await ask('GET', '/api/queues/%2F/log')).body).toMatchObject({ type: 'stream', messages: 1 });
  expect(await ask('POST', '/api/queues/%2F/log/get', TAKE)).toMatchObject({ status: 400 });
  expect(await ask('DELETE', '/api/queues/%2F/log/contents')).toMatchObject({ status: 400 });
});
