import { expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { encodeBatch } from '../../records/index.ts';
import { MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { Partition } from './partition.ts';
import { streamConfig } from './stream-config.ts';

async function openPartition(own: Record<string, string> = {}) {
  const clock = new VirtualClock(1_000_000);
  const random = new SeededRandom(1);
  const shard = await Shard.open({ commitLog: new MemoryCommitLog(), store: new MemorySegmentStore(), clock, random });
  const now = () => clock.now();
  return Partition.open({ index: 0, shard, logId: random.uuid(), config: streamConfig(own, {}), now });
}

function batchAt(...timestamps: number[]): Buffer {
  return encodeBatch({ records: timestamps.map((timestamp) => ({ timestamp, key: null, value: Buffer.from('v') })) });
}

it('finds a record by its time in a later batch when the one that had it was trimmed', async () => {
  const partition = await openPartition();
  await partition.append(batchAt(500, 100), 'durable').settled;
  await partition.append(batchAt(200, 600), 'durable').settled;
  expect(await partition.offsetForTimestamp(300)).toMatchObject({ offset: 0, timestamp: 500 });
  await partition.deleteRecords(1);
  expect(await partition.offsetForTimestamp(300)).toMatchObject({ offset: 3, timestamp: 600 });
  expect(await partition.offsetForTimestamp(601)).toBeUndefined();
});

it('stamps its own time on batches where that is what counts', async () => {
  const partition = await openPartition({ 'message.timestamp.type': 'LogAppendTime' });
  const appended = partition.append(batchAt(5, 6), 'durable');
  await appended.settled;
  expect(appended.appendTime).toBe(1_000_000);
  expect(await partition.offsetForTimestamp(7)).toMatchObject({ offset: 0, timestamp: 1_000_000 });
});

it('takes no batch that is too large, cut short or two at once, and goes on with the next', async () => {
  const partition = await openPartition({ 'max.message.bytes': '100' });
  const good = batchAt(1);
  const large = encodeBatch({ records: [{ timestamp: 1, key: null, value: Buffer.alloc(100) }] });
  const append = (batch: Buffer) => () => partition.append(batch, 'durable');
  expect(append(large)).toThrow(expect.objectContaining({ code: 'message-too-large' }));
  expect(append(good.subarray(0, good.length - 1))).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
  expect(append(Buffer.concat([good, good]))).toThrow(expect.objectContaining({ code: 'invalid-record' }));
  const appended = partition.append(good, 'durable');
  await appended.settled;
  expect(appended.baseOffset).toBe(0);
});
