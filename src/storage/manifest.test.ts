import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOG_A, LOG_B } from '../../test/storage/fixture.ts';
import { crc32c } from '../records/index.ts';
import { loadManifest, type Manifest, saveManifest } from './manifest.ts';
import { segmentName } from './segment.ts';
import { MemorySegmentStore } from './segment-store/memory.ts';

const MANIFEST: Manifest = {
  shardId: LOG_B,
  replayFrom: 2 ** 50,
  garbage: [`${LOG_B}/`, 'a.log'],
  logs: [
    {
      id: LOG_A,
      startOffset: 3,
      flushedOffset: 20,
      epochs: [{ epoch: 1, startOffset: 0 }],
      segments: [
        { name: segmentName(LOG_A, 0), baseOffset: 0, nextOffset: 10, size: 1000, maxTimestamp: -1, indexed: false },
        { name: segmentName(LOG_A, 10), baseOffset: 10, nextOffset: 20, size: 2 ** 31, maxTimestamp: 5, indexed: true },
      ],
    },
    { id: LOG_B, startOffset: 0, flushedOffset: 0, epochs: [], segments: [] },
  ],
};

/** Bytes with a CRC that is right. */
function sealed(content: string): Buffer {
  const bytes = Buffer.from(content);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(bytes));
  return Buffer.concat([crc, bytes]);
}

describe('a manifest', () => {
  it('is read as it was written', async () => {
    const store = new MemorySegmentStore();
    expect(await loadManifest(store)).toBeUndefined();
    await saveManifest(store, MANIFEST);
    expect(await loadManifest(store)).toEqual(MANIFEST);
  });

  it('is not believed when a byte is wrong or missing', async () => {
    const store = new MemorySegmentStore();
    await saveManifest(store, MANIFEST);
    const good = await store.get('manifest', 0, 100_000);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, cut) => {
          const bytes = Buffer.from(cut ? good.subarray(0, at) : good);
          if (!cut) bytes[at] = (bytes[at] ?? 0) ^ change;
          await store.put('manifest', [bytes]);
          await expect(loadManifest(store)).rejects.toMatchObject({ code: 'storage-damaged' });
        },
      ),
    );
  });

  it('is not believed when it is not what a manifest is', async () => {
    const store = new MemorySegmentStore();
    for (const content of ['', 'no JSON', 'null', '{"format":1}', '{"format":1,"logs":[{"id":"x"}],"garbage":[]}']) {
      await store.put('manifest', [sealed(content)]);
      await expect(loadManifest(store), content).rejects.toMatchObject({ code: 'storage-damaged' });
    }
  });

  it('of a later format is refused as such', async () => {
    const store = new MemorySegmentStore();
    await store.put('manifest', [sealed('{"format":3}')]);
    await expect(loadManifest(store)).rejects.toMatchObject({ code: 'unsupported' });
  });
});
