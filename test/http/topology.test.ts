import { describe, expect, test } from 'vitest';
import { startApi } from './fixture.ts';

const NOT_FOUND = { status: 404, body: { error: 'Object Not Found', reason: 'Not Found' } };

describe('queues', () => {
  test('are declared, listed, asked for and deleted', async () => {
    const { ask } = await startApi();
    const declaration = { durable: true, arguments: { 'x-max-length': 10 } };
    expect(await ask('PUT', '/api/queues/%2F/orders', declaration)).toMatchObject({ status: 201 });
    expect(await ask('PUT', '/api/queues/%2F/orders', declaration)).toMatchObject({ status: 204 });
    expect(await ask('PUT', '/api/queues/%2F/orders', { durable: 'false' })).toMatchObject({
      status: 400,
      body: {
        error: 'bad_request',
        reason: "inequivalent arg 'durable' for queue 'orders' in vhost '/': received 'false' but current is 'true'",
      },
    });
    const shown = {
      ...{ name: 'orders', vhost: '/', type: 'classic', durable: true, auto_delete: false, exclusive: false },
      ...{ arguments: { 'x-max-length': 10 }, state: 'running', messages: 0, consumers: 0 },
    };
    expect((await ask('GET', '/api/queues/%2F/orders')).body).toMatchObject(shown);
    expect((await ask('GET', '/api/queues')).body).toMatchObject([shown]);
    expect((await ask('GET', '/api/queues/%2F')).body).toMatchObject([shown]);
    expect(await ask('DELETE', '/api/queues/%2F/orders')).toMatchObject({ status: 204 });
    expect(await ask('GET', '/api/queues/%2F/orders')).toMatchObject(NOT_FOUND);
    expect(await ask('DELETE', '/api/queues/%2F/orders')).toMatchObject(NOT_FOUND);
  });

  test('have names with everything in them', async () => {
    const { ask } = await startApi();
    const name = 'a/b c+d%~é';
    const path = `/api/queues/%2F/${encodeURIComponent(name)}`;
    expect(await ask('PUT', path, {})).toMatchObject({ status: 201 });
    expect((await ask('GET', path)).body).toMatchObject({ name });
    const long = 'ü'.repeat(127);
    expect(await ask('PUT', `/api/queues/%2F/${encodeURIComponent(long)}`, {})).toMatchObject({ status: 201 });
  });

  test('are deleted only when unused or empty, if the query says so', async () => {
    const { ask } = await startApi();
    await ask('PUT', '/api/queues/%2F/orders', {});
    await publish(ask, 'orders', 'one');
    expect(await ask('DELETE', '/api/queues/%2F/orders?if-empty=true')).toMatchObject({
      status: 400,
      body: { reason: "queue 'orders' in vhost '/' not empty" },
    });
    expect(await ask('DELETE', '/api/queues/%2F/orders/contents')).toMatchObject({ status: 204 });
    expect(await ask('DELETE', '/api/queues/%2F/orders?if-empty=true')).toMatchObject({ status: 204 });
  });

  test('come by pages, sorted, filtered by name, and with the columns that are wanted', async () => {
    const { ask } = await startApi();
    for (const name of ['delta', 'alpha', 'charlie', 'Bravo']) await ask('PUT', `/api/queues/%2F/${name}`, {});
    await publish(ask, 'charlie', 'one');
    const names = async (query: string) => {
      const { body } = await ask('GET', `/api/queues?columns=name&${query}`);
      return (Array.isArray(body) ? body : (body as { items: unknown[] }).items).map(
        (item) => (item as { name: string }).name,
      );
    };
    expect(await names('')).toEqual(['Bravo', 'alpha', 'charlie', 'delta']);
    expect(await names('sort=messages&sort_reverse=true')).toEqual(['charlie', 'delta', 'alpha', 'Bravo']);
    expect(await names('page=2&page_size=3')).toEqual(['delta']);
    expect(await names('page=1&name=A')).toEqual(['Bravo', 'alpha', 'charlie', 'delta']);
    expect(await names('page=1&name=%5E%5Bab%5D&use_regex=true')).toEqual(['Bravo', 'alpha']);
    expect((await ask('GET', '/api/queues?page=1&page_size=2&name=l')).body).toMatchObject({
      ...{ total_count: 4, filtered_count: 3, item_count: 2, page: 1, page_size: 2, page_count: 2 },
    });
    for (const [query, error] of [
      ['page=0', 'invalid_pagination_parameters'],
      ['page=1&page_size=501', 'invalid_pagination_parameters'],
      ['page=9', 'page_out_of_range'],
      ['page=x', 'bad_request'],
      ['page=1&name=(&use_regex=true', 'bad_request'],
    ])
      expect(await ask('GET', `/api/queues?${query}`)).toMatchObject({ status: 400, body: { error } });
  });
});

describe('exchanges and bindings', () => {
  test('exchanges are declared, listed and deleted; those that every virtual host has stay', async () => {
    const { ask } = await startApi();
    const topic = { type: 'topic', durable: true, internal: false, arguments: {} };
    expect(await ask('PUT', '/api/exchanges/%2F/news', topic)).toMatchObject({ status: 201 });
    expect(await ask('PUT', '/api/exchanges/%2F/news', topic)).toMatchObject({ status: 204 });
    expect(await ask('PUT', '/api/exchanges/%2F/other', { type: 'none' })).toMatchObject({
      body: { reason: "unknown exchange type 'none'" },
    });
    expect((await ask('GET', '/api/exchanges/%2F/news')).body).toMatchObject({ name: 'news', ...topic });
    expect((await ask('GET', '/api/exchanges/%2F?columns=name')).body).toEqual(
      ['', 'amq.direct', 'amq.fanout', 'amq.headers', 'amq.match', 'amq.rabbitmq.trace', 'amq.topic', 'news'].map(
        (name) => ({ name }),
      ),
    );
    expect(await ask('DELETE', '/api/exchanges/%2F/news')).toMatchObject({ status: 204 });
    expect(await ask('DELETE', '/api/exchanges/%2F/amq.topic')).toMatchObject({ status: 401 });
    expect(await ask('GET', '/api/exchanges/%2F/amq.default')).toMatchObject({ status: 200, body: { name: '' } });
  });

  test('bindings are made, listed from both ends, and taken away by the key that they are listed with', async () => {
    const { ask } = await startApi();
    await ask('PUT', '/api/queues/%2F/inbox', {});
    const between = '/api/bindings/%2F/e/amq.topic/q/inbox';
    const made = await ask('POST', between, { routing_key: 'a b~/c', arguments: { deep: [1, { x: true }] } });
    expect(made).toMatchObject({ status: 201 });
    expect(made.headers.get('location')).toMatch(/^inbox\//);
    expect(await ask('POST', between, {})).toMatchObject({ status: 201 });
    expect((await ask('POST', between, {})).headers.get('location')).toBe('inbox/~');
    await ask('POST', '/api/bindings/%2F/e/amq.topic/e/amq.fanout', { routing_key: '#' });
    const key = (await ask('GET', between)).body as { properties_key: string }[];
    expect(key).toHaveLength(2);
    for (const [path, count] of [
      ['/api/bindings', 4],
      ['/api/bindings/%2F', 4],
      ['/api/queues/%2F/inbox/bindings', 3],
      ['/api/exchanges/%2F/amq.topic/bindings/source', 3],
      ['/api/exchanges/%2F/amq.fanout/bindings/destination', 1],
      ['/api/exchanges/%2F/amq.default/bindings/source', 1],
    ] as const)
      expect((await ask('GET', path)).body, path).toHaveLength(count);
    for (const { properties_key: props } of key) {
      const path = `${between}/${encodeURIComponent(props)}`;
      expect((await ask('GET', path)).body).toMatchObject({ source: 'amq.topic', destination: 'inbox' });
      expect(await ask('DELETE', path)).toMatchObject({ status: 204 });
      expect(await ask('DELETE', path)).toMatchObject(NOT_FOUND);
    }
    expect((await ask('GET', between)).body).toEqual([]);
    expect(await ask('POST', '/api/bindings/%2F/e/none/q/inbox', {})).toMatchObject({
      status: 404,
      body: { error: 'not_found', reason: "no exchange 'none' in vhost '/'" },
    });
  });
});

describe('policies', () => {
  test('apply to what they match as soon as they are set', async () => {
    const { ask } = await startApi();
    await ask('PUT', '/api/queues/%2F/orders', {});
    const policy = { pattern: '^ord', definition: { 'max-length': 2 }, priority: '1', 'apply-to': 'queues' };
    expect(await ask('PUT', '/api/policies/%2F/short', policy)).toMatchObject({ status: 201 });
    expect((await ask('GET', '/api/policies')).body).toEqual([{ vhost: '/', name: 'short', ...policy, priority: 1 }]);
    expect((await ask('GET', '/api/queues/%2F/orders')).body).toMatchObject({
      policy: 'short',
      effective_policy_definition: { 'max-length': 2 },
    });
    expect(await ask('PUT', '/api/policies/%2F/short', { pattern: '' })).toMatchObject({
      body: { reason: '[{key_missing,definition}]' },
    });
    expect(await ask('PUT', '/api/policies/%2F/x', { pattern: '', definition: { none: 1 } })).toMatchObject({
      status: 400,
    });
    expect(await ask('DELETE', '/api/policies/%2F/short')).toMatchObject({ status: 204 });
    expect((await ask('GET', '/api/queues/%2F/orders')).body).toMatchObject({ policy: null });
  });

  test('of the operator, parameters and limits there are none, and none can be set', async () => {
    const { ask } = await startApi();
    for (const list of [
      'parameters',
      'parameters/shovel/%2F',
      'global-parameters',
      'operator-policies',
      'vhost-limits',
    ])
      expect(await ask('GET', `/api/${list}`), list).toMatchObject({ status: 200, body: [] });
    expect(await ask('PUT', '/api/parameters/shovel/%2F/mine', { value: {} })).toMatchObject({
      status: 400,
      body: { reason: 'Validation failed\n\ncomponent shovel not found\n' },
    });
    expect(await ask('PUT', '/api/vhost-limits/%2F/max-queues', { value: 1 })).toMatchObject({ status: 400 });
  });
});

async function publish(ask: Awaited<ReturnType<typeof startApi>>['ask'], queue: string, payload: string) {
  await ask('POST', '/api/exchanges/%2F/amq.default/publish', {
    ...{ routing_key: queue, properties: {}, payload, payload_encoding: 'string' },
  });
}
