import { expect, it } from 'vitest';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualClock } from '../environment/virtual-clock.ts';
import { encodeBatch } from '../records/index.ts';
import { CommitLogMemory, MemoryCommitLog } from './commit-log/memory.ts';
import { MemorySegmentStore } from './segment-store/memory.ts';
import { Shard } from './shard.ts';

const LOG = '00000000-0000-4000-8000-000000000002';

function open(memory: CommitLogMemory, store: MemorySegmentStore): Promise<Shard> {
  return Shard.open({
    commitLog: new MemoryCommitLog(memory),
    store,
    clock: new VirtualClock(),
    random: new SeededRandom(1),
  });
}

it('refuses to start without the manifest once anything was appended, and starts anew where nothing was', async () => {
  const memory = new CommitLogMemory();
  const store = new MemorySegmentStore();
  await open(memory, store).then((shard) => shard.close());
  await store.delete('manifest');
  const shard = await open(memory, store);
  const batch = encodeBatch({ records: [{ timestamp: 1, key: null, value: Buffer.from('a') }] });
  await shard.append([{ log: shard.log(LOG), batch }]).settled;
  await shard.close();
  await store.delete('manifest');
  await expect(open(memory, store)).rejects.toMatchObject({ code: 'storage-damaged' });
});
