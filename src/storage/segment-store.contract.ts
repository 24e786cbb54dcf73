import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SegmentStore } from './segment-store.ts';

/** The storage of one store, which is opened again and again. */
export interface SegmentStoreUnderTest {
  /** The store over the same storage, as after a restart. */
  open(): Promise<SegmentStore>;
  destroy(): Promise<void>;
}

/** What every `SegmentStore` keeps to, whatever it is made of. */
export function segmentStoreContract(name: string, create: () => Promise<SegmentStoreUnderTest>): void {
  describe(`segment store: ${name}`, () => {
    let storage: SegmentStoreUnderTest;
    let store: SegmentStore;

    beforeEach(async () => {
      storage = await create();
      store = await storage.open();
    });

    afterEach(async () => {
      await store.close();
      await storage.destroy();
    });

    it('is empty at first', async () => {
      expect(await store.list('')).toEqual([]);
      expect(await store.freeBytes()).toBeGreaterThan(0);
    });

    it('gives back any range of an object, and less at its end', async () => {
      await store.put('logs/a/0.log', [text('hello '), text(''), text('world')]);
      expect(String(await store.get('logs/a/0.log', 0, 11))).toBe('hello world');
      expect(String(await store.get('logs/a/0.log', 6, 3))).toBe('wor');
      expect(String(await store.get('logs/a/0.log', 6, 100))).toBe('world');
      expect(String(await store.get('logs/a/0.log', 11, 5))).toBe('');
      expect(String(await store.get('logs/a/0.log', 50, 5))).toBe('');
    });

    it('keeps objects over a restart', async () => {
      await store.put('a/b', [text('kept')]);
      await store.put('empty', []);
      await store.close();
      store = await storage.open();
      expect((await store.list('')).sort()).toEqual(['a/b', 'empty']);
      expect(String(await store.get('a/b', 0, 10))).toBe('kept');
      expect((await store.get('empty', 0, 10)).length).toBe(0);
    });

    it('replaces an object as a whole', async () => {
      await store.put('manifest', [text('a long first version')]);
      expect(String(await store.get('manifest', 0, 100))).toBe('a long first version');
      await store.put('manifest', [text('second')]);
      expect(String(await store.get('manifest', 0, 100))).toBe('second');
      expect(await store.list('')).toEqual(['manifest']);
    });

    it('says that an object is not there', async () => {
      await expect(store.get('absent', 0, 10)).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.get('absent/in/a/folder', 0, 10)).rejects.toMatchObject({ code: 'not-found' });
      await store.put('here', [text('x')]);
      await store.get('here', 0, 1);
      await store.delete('here');
      await expect(store.get('here', 0, 10)).rejects.toMatchObject({ code: 'not-found' });
      expect(await store.list('')).toEqual([]);
    });

    it('deletes an absent object without complaint', async () => {
      await store.delete('absent');
      await store.delete('absent/in/a/folder');
    });

    it('lists what begins with a prefix, be it a folder or the beginning of a name', async () => {
      for (const object of ['a/1.log', 'a/1.index', 'a/2.log', 'ab/1.log', 'b', 'deep/er/and/deeper'])
        await store.put(object, [text(object)]);
      expect((await store.list('a/')).sort()).toEqual(['a/1.index', 'a/1.log', 'a/2.log']);
      expect((await store.list('a')).sort()).toEqual(['a/1.index', 'a/1.log', 'a/2.log', 'ab/1.log']);
      expect((await store.list('a/1')).sort()).toEqual(['a/1.index', 'a/1.log']);
      expect(await store.list('deep/')).toEqual(['deep/er/and/deeper']);
      expect(await store.list('b')).toEqual(['b']);
      expect(await store.list('c/')).toEqual([]);
    });

    it('takes many chunks, and objects of megabytes', async () => {
      const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.alloc((i * 31) % 4000, i));
      const whole = Buffer.concat(chunks);
      await store.put('large', chunks);
      const read = await store.get('large', 0, whole.length + 1);
      expect(read.equals(whole)).toBe(true);
      const part = await store.get('large', 3_000_000, 65_536);
      expect(part.equals(whole.subarray(3_000_000, 3_065_536))).toBe(true);
    });

    it('serves many reads and writes at a time', async () => {
      const names = Array.from({ length: 60 }, (_, i) => `logs/${i % 7}/${i}`);
      await Promise.all(names.map((object) => store.put(object, [text(`content of ${object}`)])));
      const read = await Promise.all(
        [...names, ...names].map(async (object) => String(await store.get(object, 0, 100))),
      );
      expect(read).toEqual([...names, ...names].map((object) => `content of ${object}`));
      await Promise.all(names.map((object) => store.delete(object)));
      expect(await store.list('')).toEqual([]);
    });

    it('hands out bytes that are the caller’s own', async () => {
      await store.put('a', [text('constant')]);
      (await store.get('a', 0, 8)).fill(0);
      expect(String(await store.get('a', 0, 8))).toBe('constant');
    });
  });
}

function text(content: string): Buffer {
  return Buffer.from(content);
}
