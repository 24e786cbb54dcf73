import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import type { Shard } from '../../storage/index.ts';
import { Catalog } from '../catalog/catalog.ts';
import { ClientMetrics } from './client-metrics.ts';
import type { MetricPoint } from './metrics-instance.ts';

const JAVA = { clientId: 'app', softwareName: 'apache-kafka-java', softwareVersion: '4.2.0', address: '::1', port: 9 };
const RUST = { ...JAVA, softwareName: 'rdkafka' };

let shard: Shard;
let clock: VirtualClock;
let metrics: ClientMetrics;

beforeEach(async () => {
  shard = await new ShardHome().open();
  clock = new VirtualClock();
  metrics = new ClientMetrics({ clock, catalog: await Catalog.open({ shard, now: () => 0, onTrouble: () => {} }) });
});
afterEach(() => shard.close());

const subscribe = (name: string, config: Readonly<Record<string, string>>) =>
  metrics.subscriptions.configure(name, () => config);
const point = (name: string, value: number, isDelta = false): MetricPoint => ({ name, value, isDelta, attributes: [] });

describe('what a client is to say', () => {
  test('nothing, where nobody has subscribed', () => {
    expect(metrics.ask('i', JAVA)).toMatchObject({ metrics: [], intervalMs: 300_000 });
  });

  test('all that those want together who mean it, as often as the one who wants it most often', async () => {
    await subscribe('one', { metrics: 'b,a', 'interval.ms': '2000', match: 'client_software_name=apache-kafka-.*' });
    await subscribe('two', { metrics: 'c,a', 'interval.ms': '1000' });
    expect(metrics.ask('i', JAVA)).toMatchObject({ metrics: ['a', 'b', 'c'], intervalMs: 1_000 });
    expect(metrics.ask('j', RUST)).toMatchObject({ metrics: ['a', 'c'], intervalMs: 1_000 });
    await subscribe('all', { metrics: '*' });
    expect(metrics.ask('j', RUST)?.metrics).toEqual(['*']);
  });

  test('is asked once an interval, and at once when it has changed', async () => {
    await subscribe('s', { metrics: 'a', 'interval.ms': '1000' });
    const first = metrics.ask('i', JAVA);
    expect(metrics.ask('i', JAVA)).toBeUndefined();
    await subscribe('s', { metrics: 'b', 'interval.ms': '1000' });
    const second = metrics.ask('i', JAVA);
    expect(second?.id).not.toBe(first?.id);
    await clock.advance(1_000);
    expect(metrics.ask('i', JAVA)?.id).toBe(second?.id);
  });
});

describe('what a client says', () => {
  let id: number;

  beforeEach(async () => {
    await subscribe('s', { metrics: '*', 'interval.ms': '1000' });
    id = metrics.ask('i', JAVA)?.id ?? 0;
  });

  test('is taken once an interval', async () => {
    expect(metrics.push('i', JAVA, id, false)).toBe('accepted');
    expect(metrics.push('i', JAVA, id, false)).toBe('throttled');
    await clock.advance(1_000);
    expect(metrics.push('i', JAVA, id, false)).toBe('accepted');
  });

  test('of another subscription is refused, and the client may ask at once', () => {
    expect(metrics.push('i', JAVA, id + 1, false)).toBe('unknown-subscription');
    expect(metrics.ask('i', JAVA)?.id).toBe(id);
  });

  test('last is taken at any time, and nothing after it', () => {
    expect(metrics.push('i', JAVA, id, false)).toBe('accepted');
    expect(metrics.push('i', JAVA, id, true)).toBe('accepted');
    expect(metrics.push('i', JAVA, id, true)).toBe('terminated');
  });

  test('is kept: the last value, or the sum of what came', () => {
    metrics.record('i', [point('gauge', 5), point('total', 2, true)], 10);
    metrics.record('i', [point('gauge', 4), point('total', 3, true)], 10);
    const [report] = metrics.reports();
    expect([...(report?.series ?? [])]).toEqual([
      ['gauge', 4],
      ['total', 5],
    ]);
    expect(metrics.totals).toEqual({ pushes: 2, bytes: 20, refused: 0, dropped: 0 });
  });

  test('is forgotten when the client has been silent for three intervals', async () => {
    metrics.record('i', [point('gauge', 5)], 10);
    await clock.advance(3_001);
    expect([...metrics.reports()]).toEqual([]);
  });

  test('under too long a name is not kept', () => {
    metrics.record('i', [point('x'.repeat(501), 1)], 10);
    expect(metrics.totals.dropped).toBe(1);
  });
});

describe('a subscription that cannot be', () => {
  test.each([
    ['interval.ms', '99'],
    ['interval.ms', '3600001'],
    ['match', 'client_color=green'],
    ['match', 'client_id=('],
    ['match', 'client_id'],
    ['what', 'ever'],
  ])('%s=%s', async (name, value) => {
    await expect(subscribe('s', { [name]: value })).rejects.toMatchObject({ code: 'invalid-configuration' });
  });
});
