import { expect, it } from 'vitest';
import { REJECT, RELEASE } from './acquisition.ts';
import { acquire, LOCK_MS, World, type WorldOptions } from './fixture.contract.ts';

const LETTERS = { deadLetterTopic: 'dlq.t', deadLetterCopiesRecord: true };

/** Two records, `a` and `b`, which member `m` has. */
async function two(options: WorldOptions) {
  const world = await World.open(options);
  await world.produce(['a', 'b']);
  const share = await world.share();
  await acquire(share, 'm');
  return { world, share };
}

const headers = (offset: number, count: number, message: string) => ({
  '__dlq.errors.topic': 't',
  '__dlq.errors.partition': '0',
  '__dlq.errors.offset': String(offset),
  '__dlq.errors.group': 'g',
  '__dlq.errors.delivery.count': String(count),
  '__dlq.errors.message': message,
});

it.each([1, 2] as const)(
  'what a member rejects is a dead letter when that is answered, over %d shards',
  async (shards) => {
    const { world, share } = await two({ shards, config: LETTERS });
    await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 1, types: [RELEASE, REJECT] }]);
    expect(await world.letters()).toEqual([{ value: 'b', headers: headers(1, 1, 'Offset rejected by client.') }]);
    expect((await acquire(share, 'm')).ranges).toEqual(['0-0×2']);
    expect(world.troubles).toEqual([]);
  },
);

it('what was delivered too often is one too, without its contents where they are not wanted', async () => {
  const config = { ...LETTERS, deadLetterCopiesRecord: false, shareDeliveryCountLimit: 1 };
  const { world, share } = await two({ config });
  await world.clock.advance(LOCK_MS);
  const message = 'Offset delivery count exceeded the threshold.';
  expect(await world.letters()).toEqual([
    { value: undefined, headers: headers(0, 1, message) },
    { value: undefined, headers: headers(1, 1, message) },
  ]);
  expect(share.startOffset).toBe(2);
});

it('many are as many batches as the topic wants', async () => {
  const world = await World.open({ config: LETTERS });
  for (let i = 0; i < 300; i++) await world.produce([String(i).padStart(5000, '.')]);
  const share = await world.share();
  await acquire(share, 'm', { maxBytes: 1e8 });
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 299, types: [REJECT] }]);
  expect((await world.letters(1e8)).map(({ value }) => Number(value?.replace(/^\.*/, '')))).toEqual(
    Array.from({ length: 300 }, (_, i) => i),
  );
  expect(share.startOffset).toBe(300);
});

it.each([
  ['does not exist', { deadLetterTopic: 'dlq.other' }],
  ['has another prefix', { deadLetterTopic: 't' }],
])('a topic that %s keeps nobody from going on, and is told of once', async (_what, config) => {
  const { world, share } = await two({ config });
  for (const offset of [0, 1])
    await share.acknowledge('m', [{ firstOffset: offset, lastOffset: offset, types: [REJECT] }]);
  expect(share.startOffset).toBe(2);
  expect(world.troubles).toEqual(['invalid-configuration: records of t-0 that group g gave up have no dead letter']);
});

it('a topic that is not meant for dead letters gets none', async () => {
  const { world, share } = await two({ config: LETTERS, lettersConfig: {} });
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 1, types: [REJECT] }]);
  expect(await world.letters()).toEqual([]);
  expect(share.startOffset).toBe(2);
});

it('what a topic would not take whole is there without its contents', async () => {
  const lettersConfig = { 'errors.deadletterqueue.group.enable': 'true', 'max.message.bytes': '600' };
  const world = await World.open({ config: LETTERS, lettersConfig });
  await world.produce(['x'.repeat(1000)]);
  const share = await world.share();
  await acquire(share, 'm');
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 0, types: [REJECT] }]);
  expect(await world.letters()).toMatchObject([{ value: undefined }]);
  expect(world.troubles).toEqual([]);
});
