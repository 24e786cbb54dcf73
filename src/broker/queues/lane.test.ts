import { expect, test } from 'vitest';
import { realEnvironment } from '../../environment/real.ts';
import { encodeBatch } from '../../records/index.ts';
import { MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { type KeptMessage, Lane } from './lane.ts';

const NOTHING = Buffer.alloc(0);
const KEPT: KeptMessage = { timestamp: 0, address: NOTHING, properties: NOTHING, body: NOTHING };

/** A lane as a start finds it: of seven messages, 2 and 4 were copied out of the log, and 1 came back after that. */
async function laneFound(): Promise<Lane> {
  const { clock, random } = realEnvironment();
  const shard = await Shard.open({ commitLog: new MemoryCommitLog(), store: new MemorySegmentStore(), clock, random });
  const log = shard.log(random.uuid());
  const records = Array.from({ length: 7 }, () => ({ timestamp: 0, key: null, value: NOTHING }));
  await shard.append([{ log, batch: encodeBatch({ records }) }]).settled;
  const lane = new Lane(0, log);
  lane.acks.addRange(0, 1);
  lane.acks.addRange(2, 5);
  for (const offset of [2, 4]) lane.restoreKept(offset, KEPT);
  lane.restored();
  return lane;
}

function takeAll(lane: Lane): number[] {
  const taken: number[] = [];
  for (let offset = lane.peek(); offset >= 0; offset = lane.peek()) {
    lane.take(offset);
    taken.push(offset);
  }
  return taken;
}

test('messages that were kept are given out in their order, also after some that are in the log', async () => {
  const lane = await laneFound();
  expect(lane.readyCount).toBe(5);
  expect(takeAll(lane)).toEqual([1, 2, 4, 5, 6]);
  expect(lane.readyCount).toBe(0);
});

test('one that was kept and leaves before its turn is gone, once; and is there again when that is undone', async () => {
  const lane = await laneFound();
  lane.drop(4);
  expect([lane.readyCount, lane.isReady(4), lane.isDone(4)]).toEqual([4, false, true]);
  if (!lane.undo(4, KEPT)) lane.putBack(4, 0);
  expect([lane.readyCount, lane.isReady(4)]).toEqual([5, true]);
  lane.drop(2);
  expect(takeAll(lane)).toEqual([1, 4, 5, 6]);
  expect(lane.readyCount).toBe(0);
});
