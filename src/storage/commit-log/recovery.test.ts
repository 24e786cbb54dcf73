import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { SimulatedDisk } from '../../environment/simulated-files.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { BrokerError } from '../../errors.ts';
import type { Position } from '../commit-log.ts';
import { DiskCommitLog, type DiskCommitLogOptions } from './disk.ts';
import { FILE_HEADER_BYTES } from './file-header.ts';
import { FRAME_HEADER_BYTES, writeFrameHeader } from './group-frame.ts';

const FIRST_FILE = '/log/00000000000000000000.wal';

let disk: SimulatedDisk;
beforeEach(() => {
  disk = new SimulatedDisk(1);
});

interface Writer {
  readonly log: DiskCommitLog;
  readonly groups: string[];
  /** Appends one group, and waits until it is durable. */
  append(content: string): Promise<Position>;
}

/** A writer that has recovered. */
async function start(from: Position = 0, options: Partial<DiskCommitLogOptions> = {}): Promise<Writer> {
  const environment = { files: disk.files(), clock: new VirtualClock(), random: disk.random };
  const log = new DiskCommitLog({ environment, directory: '/log', ...options });
  const groups: string[] = [];
  let settled: ((error?: BrokerError) => void) | undefined;
  await log.open({ written: () => {}, durable: () => settled?.(), failed: (error) => settled?.(error) });
  await log.replay(from, (group) => groups.push(String(group)));
  const append = (content: string) =>
    new Promise<Position>((resolve, reject) => {
      const end = log.append([Buffer.from(content)], content.length);
      settled = (error) => (error ? reject(error) : resolve(end));
    });
  return { log, groups, append };
}

/** Three groups, each durable before the next one was appended, in a log that was not closed. */
async function threeGroups(options: Partial<DiskCommitLogOptions> = {}): Promise<Position[]> {
  const { append } = await start(0, options);
  const ends = [await append('the first'), await append('the second'), await append('the third')];
  disk.kill();
  return ends;
}

async function put(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await disk.files().open(path, 'write');
  await file.write([bytes], position);
  await file.sync();
  await file.close();
}

async function contentOf(path: string): Promise<Buffer> {
  const file = await disk.files().open(path, 'read');
  const content = Buffer.alloc(await file.size());
  await file.read(content, 0);
  await file.close();
  return content;
}

describe('a torn tail', () => {
  const tails: Record<string, (frame: Buffer) => Buffer> = {
    'half a frame': (frame) => frame.subarray(0, 40),
    'half a frame header': (frame) => frame.subarray(0, 13),
    'a whole frame that belongs elsewhere': (frame) => frame,
    zeros: () => Buffer.alloc(5000),
    garbage: () => new SeededRandom(7).bytes(5000),
    'frame magics': () => Buffer.alloc(5000, 'SG'),
  };

  for (const [name, tail] of Object.entries(tails)) {
    it(`is cut: ${name}; and stays cut at the second and third recovery`, async () => {
      const ends = await threeGroups();
      const frame = (await contentOf(FIRST_FILE)).subarray(FILE_HEADER_BYTES, FILE_HEADER_BYTES + (ends[0] as number));
      await put(FIRST_FILE, FILE_HEADER_BYTES + (ends[2] as number), tail(frame));
      const second = await start();
      expect(second.groups).toEqual(['the first', 'the second', 'the third']);
      expect(await second.append('the fourth')).toBeGreaterThan(ends[2] as number);
      disk.crash();
      const third = await start();
      expect(third.groups).toEqual(['the first', 'the second', 'the third', 'the fourth']);
      await third.append('the fifth');
      disk.crash();
      expect((await start()).groups).toEqual(['the first', 'the second', 'the third', 'the fourth', 'the fifth']);
    });
  }

  it('is what a group becomes that no later one proves to have been durable', async () => {
    const ends = await threeGroups();
    disk.corrupt(FIRST_FILE, FILE_HEADER_BYTES + (ends[2] as number) - 1, 1);
    expect((await start()).groups).toEqual(['the first', 'the second']);
  });

  it('cannot be passed off as damage by a client who puts a frame into a message', async () => {
    const ends = await threeGroups();
    const end = ends[2] as number;
    const forged = Buffer.alloc(500);
    const frame = { position: end + 100, durable: end + 50, byteLength: 0, payloadCrc: 0, closed: false };
    writeFrameHeader(forged, 100, { epoch: 1, start: 0, seed: 0 }, frame);
    await put(FIRST_FILE, FILE_HEADER_BYTES + end, forged);
    expect((await start()).groups).toEqual(['the first', 'the second', 'the third']);
  });
});

describe('damage', () => {
  it('is told from a torn tail by a later frame, and named by file and byte', async () => {
    const ends = await threeGroups();
    disk.corrupt(FIRST_FILE, FILE_HEADER_BYTES + (ends[0] as number) + FRAME_HEADER_BYTES + 2, 1);
    await expect(start()).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringMatching(
        new RegExp(`${FIRST_FILE}.*byte ${FILE_HEADER_BYTES + (ends[0] as number)}\\).*sluice repair`),
      ),
    });
  });

  it('leaves the log as it is, so that it is found again', async () => {
    const ends = await threeGroups();
    disk.corrupt(FIRST_FILE, FILE_HEADER_BYTES + (ends[0] as number) + 2, 1);
    const before = await contentOf(FIRST_FILE);
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(disk.paths()).toEqual([FIRST_FILE]);
    expect((await contentOf(FIRST_FILE)).equals(before)).toBe(true);
  });

  it('of the last group is noticed in a log that was closed', async () => {
    const { append, log } = await start();
    const end = await append('the only one');
    await log.close();
    disk.corrupt(FIRST_FILE, FILE_HEADER_BYTES + end - 1, 1);
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
  });

  it('is a header that cannot be read, since no crash leaves one', async () => {
    await threeGroups();
    disk.corrupt(FIRST_FILE, 20, 1);
    await expect(start()).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining('wrong CRC'),
    });
  });

  it('is a missing file, which is named', async () => {
    await threeGroups({ fileBytes: 10 });
    const [first, second, third] = disk.paths() as [string, string, string];
    const files = disk.files();
    await files.remove(second);
    await expect(start()).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining(second.slice('/log/'.length)),
    });
    await files.remove(first);
    await expect(start(1)).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining('begins at'),
    });
    await files.remove(third);
    for (const path of disk.paths()) await files.remove(path);
    await expect(start(1)).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining('has no file'),
    });
  });

  it('is an end before the position from which the log is needed', async () => {
    const ends = await threeGroups();
    await expect(start((ends[2] as number) + 1)).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining('it ends at'),
    });
  });

  it('is a file of another log', async () => {
    await threeGroups();
    await expect(start(0, { id: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining('belongs to log'),
    });
  });

  it('of whatever was durable before the last flush is found, wherever it is', async () => {
    for (let seed = 0; seed < 300; seed++) {
      disk = new SimulatedDisk(seed);
      const random = new SeededRandom(seed);
      const { append } = await start(0, { fileBytes: 200 + random.below(3000) });
      let proven = 0;
      for (let i = 3 + random.below(20); i > 0; i--) {
        const end = await append('x'.repeat(1 + random.below(300)));
        if (i > 1) proven = end;
      }
      if (random.chance(0.5)) disk.kill();
      else disk.crash();
      const paths = disk.paths();
      const position = random.below(proven);
      const path = paths.findLast((one) => Number(one.slice('/log/'.length, -'.wal'.length)) <= position) as string;
      const offset = FILE_HEADER_BYTES + position - Number(path.slice('/log/'.length, -'.wal'.length));
      // Up to the last frame at most, which is the witness.
      disk.corrupt(path, offset, 1 + random.below(Math.min(600, proven - position)));
      const error = await start().then(
        () => new Error('nothing was noticed'),
        (reason) => reason,
      );
      expect(error, `seed ${seed}`).toBeInstanceOf(BrokerError);
      expect(error, `seed ${seed}`).toMatchObject({ code: 'storage-damaged', message: expect.stringContaining(path) });
    }
  });
});
