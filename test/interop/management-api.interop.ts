import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { expect, test } from 'vitest';
import { freePort } from '../../bench/peers/free-port.ts';
import { rabbitmq, rabbitmqMissing } from '../../bench/peers/rabbitmq.ts';
import { createBroker } from '../../src/index.ts';
import { type Answer, asking } from '../http/fixture.ts';
import { until } from '../kafka/fixture.ts';

/*
 * The same requests to RabbitMQ's management plugin and to this broker: the same answers, as far as they are about what was asked for;
 * of what a broker tells of itself, the same fields with values of the same type.
 */

const MESSAGE = { routing_key: 'a.b', properties: { delivery_mode: 2, headers: { n: 1 } }, payload: 'hello' };
const PUBLICATION = { ...MESSAGE, payload_encoding: 'string' };
const LOOK = { count: 5, ackmode: 'ack_requeue_true', encoding: 'auto' };

type Request = readonly [method: string, path: string, body?: unknown, as?: string];

/** Answered alike: status, and body. */
const ALIKE: readonly Request[] = [
  ['GET', 'whoami'],
  ['GET', 'whoami', undefined, 'guest:wrong'],
  ['PUT', 'vhosts/shop', {}],
  ['PUT', 'vhosts/shop', {}],
  ['GET', 'vhosts/none'],
  ['PUT', 'queues/%2F/q', { durable: true, arguments: { 'x-max-length': 10 } }],
  ['PUT', 'queues/%2F/q', { durable: true, arguments: { 'x-max-length': 10 } }],
  ['PUT', 'queues/%2F/q', { durable: false }],
  ['PUT', 'queues/%2F/other', { arguments: { 'x-expires': 'soon' } }],
  ['PUT', 'queues/%2F/q', '{bad'],
  ['PUT', 'queues/%2F/q', '[]'],
  ['GET', 'queues/%2F/none'],
  ['GET', 'queues/none'],
  ['DELETE', 'queues/%2F/none'],
  ['PUT', 'exchanges/%2F/news', { type: 'topic', durable: true }],
  ['PUT', 'exchanges/%2F/news', { type: 'direct', durable: true }],
  ['PUT', 'exchanges/%2F/odd', { type: 'odd' }],
  ['GET', 'exchanges/%2F/none'],
  ['POST', 'bindings/%2F/e/news/q/q', { routing_key: 'a.#' }],
  ['POST', 'bindings/%2F/e/news/e/amq.fanout', {}],
  ['POST', 'bindings/%2F/e/none/q/q', {}],
  ['GET', 'bindings'],
  ['GET', 'bindings/%2F/e/news/q/q'],
  ['GET', 'bindings/%2F/e/news/q/q/a.%2523'],
  ['GET', 'bindings/%2F/e/news/q/q/none'],
  ['GET', 'queues/%2F/q/bindings'],
  ['GET', 'exchanges/%2F/news/bindings/source'],
  ['GET', 'exchanges/%2F/amq.fanout/bindings/destination'],
  ['POST', 'exchanges/%2F/news/publish', PUBLICATION],
  ['POST', 'exchanges/%2F/news/publish', { ...PUBLICATION, routing_key: 'x' }],
  ['POST', 'exchanges/%2F/news/publish', { ...MESSAGE, payload: undefined }],
  ['POST', 'queues/%2F/q/get', LOOK],
  ['POST', 'queues/%2F/q/get', { ...LOOK, truncate: 2 }],
  ['POST', 'queues/%2F/q/get', {}],
  ['PUT', 'policies/%2F/p', { pattern: '^q', definition: { 'max-length': 5 }, priority: 2, 'apply-to': 'queues' }],
  ['GET', 'policies'],
  ['GET', 'policies/%2F/p'],
  ['GET', 'policies/%2F/none'],
  ['PUT', 'policies/%2F/p', { pattern: '' }],
  ['DELETE', 'policies/%2F/p'],
  ['DELETE', 'policies/%2F/p'],
  ['PUT', 'users/anna', { password: 'x', tags: 'management' }],
  ['PUT', 'users/anna', { password: 'anna', tags: 'management' }],
  ['PUT', 'users/berta', { password: 'x' }],
  ['PUT', 'users/berta', { password: 'x', password_hash: 'y', tags: '' }],
  ['GET', 'users/none'],
  ['PUT', 'permissions/shop/anna', { configure: '', write: '', read: '.*' }],
  ['PUT', 'permissions/shop/anna', { configure: '', write: '.*', read: '.*' }],
  ['PUT', 'permissions/shop/none', { configure: '', write: '.*', read: '.*' }],
  ['PUT', 'permissions/shop/anna', { configure: '' }],
  ['GET', 'permissions'],
  ['GET', 'permissions/shop/anna'],
  ['GET', 'users/anna/permissions'],
  ['PUT', 'topic-permissions/shop/anna', { exchange: 'amq.topic', write: '^a', read: '' }],
  ['GET', 'topic-permissions'],
  ['GET', 'topic-permissions/shop/anna'],
  ['GET', 'topic-permissions/shop/guest'],
  ['GET', 'queues', undefined, 'anna:anna'],
  ['GET', 'queues/%2F', undefined, 'anna:anna'],
  ['GET', 'users', undefined, 'anna:anna'],
  ['GET', 'nodes', undefined, 'anna:anna'],
  ['GET', 'definitions', undefined, 'anna:anna'],
  ['PUT', 'policies/shop/p', { pattern: '', definition: { 'max-length': 5 } }, 'anna:anna'],
  ['DELETE', 'topic-permissions/shop/anna'],
  ['DELETE', 'permissions/shop/anna'],
  ['DELETE', 'permissions/shop/anna'],
  ['POST', 'users/bulk-delete', { users: ['anna'] }],
  ['DELETE', 'users/anna'],
  ['GET', 'users/without-permissions'],
  ['GET', 'aliveness-test/shop'],
  ['GET', 'health/checks/alarms'],
  ['GET', 'health/checks/local-alarms'],
  ['GET', 'health/checks/virtual-hosts'],
  ['GET', 'health/checks/node-is-quorum-critical'],
  ['GET', 'health/checks/protocol-listener/amqp'],
  ['GET', 'queues?page=0'],
  ['GET', 'queues?page=x'],
  ['GET', 'parameters'],
  ['GET', 'operator-policies'],
  ['GET', 'vhost-limits'],
  ['PUT', 'parameters/shovel/%2F/x', { value: {} }],
  ['PATCH', 'queues/%2F/q'],
  ['DELETE', 'exchanges/%2F/none'],
  ['DELETE', 'queues/%2F/q/contents'],
  ['DELETE', 'queues/%2F/q?if-empty=true'],
  ['DELETE', 'exchanges/%2F/news'],
  ['DELETE', 'vhosts/shop'],
  ['GET', 'none'],
];

/** Fields of RabbitMQ that there is nothing for here: nobody counts it, or it is Erlang's. */
const NOT_TOLD =
  /_details|message_stats|churn|backing_queue|garbage|reductions|idle_since|rate|_ram|paged_out|persistent|utilisation|capacity|slaves|head_message|\bmemory|message_bytes(_unack.*)?:|erlang|sample|release_series|statistics_db|user_who|incoming|outgoing|deliveries|publishes|peer_cert|ssl_|_cnt|send_pend|auth_mechanism|pending_raft|socket_opts|cowboy|ssl_opts|fd_|sockets_|proc_|run_queue|processors|net_ticktime|mem_calculation|ra_open|gc_|context_switches|io_|mnesia|msg_store|queue_index|connection_c|channel_c|queue_[dc]|metrics_gc|tracing/;

/** Told here, and not by RabbitMQ 3.10: later releases do. */
const TOLD_BESIDES =
  /being_drained|contexts|metadata\.default_queue_type|disk_free|db_dir|^\[\]\.policy|product|message_stats\.(reject|requeue|dead_letter|expire|overflow)|object_totals\.streams/;

/** What a broker tells of itself, and what of RabbitMQ's is not in that: of memory storage, or of each queue of a list. */
const SHAPES: readonly (readonly [path: string, lacks: RegExp])[] = [
  ['overview', /^$/],
  ['nodes', /disk_free|log_files|db_dir|config_files|enabled_plugins/],
  ['vhosts', /_oct/],
  ['users', /^$/],
  ['exchanges/%2F', /^$/],
  ['queues', /_consumer_tag/],
  ['queues?page=1', /_consumer_tag/],
  ['queues/%2F/q', /^$/],
  ['connections', /^$/],
  ['channels', /^$/],
  ['consumers', /^$/],
];

test.skipIf(rabbitmqMissing() !== undefined)('tools see what they see of RabbitMQ', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-management-'));
  const managementPort = await freePort('127.0.0.1');
  // First the one that ends by itself if the other does not start.
  const sluice = await createBroker({ listeners: ['http://127.0.0.1:0', 'amqp://127.0.0.1:0'] });
  const peer = await rabbitmq({ managementPort }).start(directory);
  try {
    const theirs = asking(`http://127.0.0.1:${managementPort}/api/`);
    const ours = asking(`${sluice.listeners[0]?.url}/api/`);
    await until(async () => (await theirs('GET', 'whoami').catch(() => undefined))?.status === 200);

    const differences: string[] = [];
    for (const [method, path, body, as = 'guest:guest'] of ALIKE) {
      const [wanted, seen] = await Promise.all([theirs(method, path, body, { as }), ours(method, path, body, { as })]);
      const [expected, actual] = [essence(wanted), essence(seen)];
      if (expected !== actual) differences.push(`${method} ${path}\nRabbitMQ: ${expected}\nSluice:   ${actual}`);
    }
    expect(differences.join('\n\n')).toBe('');

    const ports = [peer.address.port, sluice.listeners[1]?.port];
    const models = await Promise.all(ports.map((port) => connect(`amqp://127.0.0.1:${port}`)));
    for (const model of models) {
      const channel = await model.createChannel();
      await channel.assertQueue('q');
      await channel.consume('q', () => {}, { consumerTag: 'c' });
    }
    // RabbitMQ gathers what it tells every few seconds.
    await until(async () => JSON.stringify((await theirs('GET', 'queues/%2F/q')).body).includes('"consumers":1'));
    await until(async () => ((await theirs('GET', 'channels')).body as unknown[]).length === 1);
    const shapes: string[] = [];
    for (const [path, lacks] of SHAPES) {
      const answers = await Promise.all([theirs('GET', path), ours('GET', path)]);
      const [wanted, seen] = [shape(answers[0].body), shape(answers[1].body)];
      const missing = difference(wanted, seen).filter((field) => !NOT_TOLD.test(field) && !lacks.test(field));
      const besides = difference(seen, wanted).filter((field) => !TOLD_BESIDES.test(field));
      if (missing.length + besides.length > 0)
        shapes.push(`${path}\nmissing: ${missing.join(', ')}\nbesides: ${besides.join(', ')}`);
    }
    expect(shapes.join('\n\n')).toBe('');
    await Promise.all(models.map((model) => model.close()));
  } finally {
    await sluice.close();
    await peer.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

/** What both have to answer; where a reason is in Erlang's words, that there is one. */
function essence({ status, body }: Answer): string {
  if (status !== 200 || typeof body !== 'object' || body === null) {
    const { error } = (body ?? {}) as { error?: string };
    const reason = status === 400 ? ` ${(body as { reason?: string }).reason}` : '';
    return `${status} ${error ?? ''}${reason}`;
  }
  return `200 ${JSON.stringify(sorted(body))}`;
}

/** Names in the same order on both sides. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  );
}

/** Every field with the type of its value; null and a text are one type, as RabbitMQ uses them. */
function shape(value: unknown, path = ''): Set<string> {
  if (Array.isArray(value)) return new Set(value.flatMap((item) => [...shape(item, `${path}[]`)]));
  if (
    typeof value === 'object' &&
    value !== null &&
    !/arguments|client_properties|definition$|cluster_state/.test(path)
  )
    return new Set(
      Object.entries(value).flatMap(([name, item]) => [...shape(item, path === '' ? name : `${path}.${name}`)]),
    );
  return new Set([`${path}: ${value === null ? 'string' : typeof value}`]);
}

function difference(one: Set<string>, other: Set<string>): string[] {
  return [...one].filter((field) => !other.has(field));
}
