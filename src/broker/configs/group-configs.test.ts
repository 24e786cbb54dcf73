import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import type { Shard } from '../../storage/index.ts';
import { Catalog } from '../catalog/catalog.ts';
import { DEFAULT_GROUP_CONFIG } from './group-config.ts';
import { GroupConfigs, type GroupConfigsOptions } from './group-configs.ts';

let home: ShardHome;
let shard: Shard;
let configs: GroupConfigs;

async function open(
  defaults: Readonly<Record<string, string>> = {},
  bounds: GroupConfigsOptions['bounds'] = {},
): Promise<void> {
  shard = await home.open();
  configs = new GroupConfigs({
    catalog: await Catalog.open({ shard, now: () => 0, onTrouble: () => {} }),
    defaults,
    bounds,
  });
}

beforeEach(async () => {
  home = new ShardHome();
  await open();
});
afterEach(() => shard.close());

const set = (groupId: string, config: Readonly<Record<string, string>>) =>
  configs.configure(groupId, (own) => ({ ...own, ...config }));

test('what is set for one group is its alone, lasts, and goes when it is taken back', async () => {
  await set('a', { 'consumer.session.timeout.ms': '50000' });
  expect(configs.of('a').consumerSessionTimeoutMs).toBe(50_000);
  expect(configs.of('b').consumerSessionTimeoutMs).toBe(45_000);
  await shard.close();
  await open();
  expect(configs.of('a').consumerSessionTimeoutMs).toBe(50_000);
  await configs.configure('a', () => ({}));
  expect(configs.of('a').consumerSessionTimeoutMs).toBe(45_000);
  expect([...configs.names()]).toEqual([]);
});

test('who goes by the settings is told of a change, until it wants to know no more', async () => {
  const told: (string | undefined)[] = [];
  const stop = configs.onChange((groupId) => told.push(groupId));
  await set('a', { 'share.isolation.level': 'read_committed' });
  stop();
  await set('b', { 'share.isolation.level': 'read_committed' });
  expect(told).toEqual(['a']);
});

describe('a value that Kafka refuses', () => {
  test.each<[name: string, value: string, why: string]>([
    ['consumer.session.timeout.ms', '44999', 'must be greater than or equal to 45000'],
    ['consumer.session.timeout.ms', '60001', 'must be less than or equal to 60000'],
    ['consumer.heartbeat.interval.ms', '4999', 'must be greater than or equal to 5000'],
    ['share.record.lock.duration.ms', '60001', 'must be less than or equal to 60000'],
    ['share.delivery.count.limit', '11', 'must be less than or equal to 10'],
    ['share.partition.max.record.locks', '99', 'must lie between 100'],
    ['share.auto.offset.reset', 'by_duration:-PT1H', 'ISO 8601'],
    ['share.auto.offset.reset', 'by_duration:P', 'ISO 8601'],
    ['share.auto.offset.reset', 'none', 'ISO 8601'],
    ['share.isolation.level', 'READ_COMMITTED', 'must be read_committed or read_uncommitted'],
    ['errors.deadletterqueue.topic.name', '__consumer_offsets', "must not begin with '__'"],
    ['streams.session.timeout.ms', '45000', 'Unknown group config name'],
  ])('%s=%s', async (name, value, why) => {
    await expect(set('a', { [name]: value })).rejects.toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringContaining(why),
    });
    expect(configs.own('a')).toEqual({});
  });

  test('a session that is no longer than the heartbeat interval', async () => {
    await shard.close();
    await open({ 'share.session.timeout.ms': '6000' });
    await expect(set('a', { 'share.heartbeat.interval.ms': '6000' })).rejects.toMatchObject({
      message: 'share.session.timeout.ms must be greater than share.heartbeat.interval.ms',
    });
  });
});

test("what holds for all groups may be set for each, beyond Kafka's bounds", async () => {
  await shard.close();
  await open({ 'share.record.lock.duration.ms': '2000' });
  await set('a', { 'share.record.lock.duration.ms': '2500' });
  expect(configs.of('a').shareRecordLockDurationMs).toBe(2_500);
});

test('the bounds are settings of the broker', async () => {
  await expect(set('a', { 'share.record.lock.duration.ms': '3000' })).rejects.toMatchObject({
    message: 'share.record.lock.duration.ms must be greater than or equal to 15000',
  });
  await shard.close();
  await open({}, { 'share.min.record.lock.duration.ms': 3_000, 'share.max.delivery.count.limit': 20 });
  await set('a', { 'share.record.lock.duration.ms': '3000', 'share.delivery.count.limit': '20' });
  expect(configs.of('a')).toMatchObject({ shareRecordLockDurationMs: 3_000, shareDeliveryCountLimit: 20 });
  await expect(set('a', { 'share.record.lock.duration.ms': '2999' })).rejects.toMatchObject({
    message: 'share.record.lock.duration.ms must be greater than or equal to 3000',
  });
});

test('a share group may begin some time ago', async () => {
  await set('a', { 'share.auto.offset.reset': 'by_duration:P1DT2H3M4.5S' });
  expect(configs.of('a').shareAutoOffsetReset).toEqual({ at: 'age', milliseconds: 93_784_500 });
});

test("a group that nothing is set for has Kafka's defaults", () => {
  expect(configs.of('a')).toEqual(DEFAULT_GROUP_CONFIG);
});
