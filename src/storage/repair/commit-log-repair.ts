import { join } from 'node:path';
import type { FileSystem, Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c } from '../../records/index.ts';
import { FILE_HEADER_BYTES, type FileHeader, fileName, SALT_BYTES, startOfName } from '../commit-log/file-header.ts';
import { FRAME_HEADER_BYTES, FRAME_MAGIC_BYTES, readFrameHeader } from '../commit-log/group-frame.ts';
import { LogFile } from '../commit-log/log-file.ts';
import { readFileHeader, recoverFile } from '../commit-log/recovery.ts';
import { WriteBatch } from '../commit-log/write-batch.ts';
import type { Position } from '../commit-log.ts';

export interface CommitLogOptions {
  readonly files: FileSystem;
  readonly random: Pick<Random, 'uuid' | 'bytes'>;
  readonly directory: string;
  /** From where on the shard needs it; undefined when nobody knows: then from its beginning. */
  readonly from: Position | undefined;
  /** The greatest epoch that the shard is known to have had, besides what the files say. */
  readonly epoch: number;
}

/** Where a commit log breaks off, and how it can go on from there. */
export interface CommitLogBreak {
  /** The name of the file, and the byte in it; no byte when it is a file that is missing. */
  readonly file: string;
  readonly byte: number | undefined;
  readonly what: string;
  /** Whether it lies in what the shard has in segments already, and all that it needs is there. */
  readonly harmless: boolean;
  /** Groups that can be read among those that a repair gives up: they may build upon what is damaged. */
  readonly lost: readonly Buffer[];
  /** Files that are removed, replaced, or read no further than to the damage: to be copied aside before. */
  readonly touched: readonly string[];
  mend(): Promise<void>;
}

export interface CommitLogFinding {
  /** The groups that the shard replays (once the log is mended), in order. */
  readonly groups: readonly Buffer[];
  /** Where they begin: the position to replay from for who did not know. */
  readonly from: Position;
  readonly broken: CommitLogBreak | undefined;
}

interface Group {
  readonly payload: Buffer;
  readonly end: Position;
}

/** A file of the log, and its header when that can be read. */
interface WalFile {
  readonly start: Position;
  readonly header: FileHeader | undefined;
  /** Why it cannot. */
  readonly error: BrokerError | undefined;
}

/** The first damage. Everything before `position` is good. */
interface Stop {
  readonly file: string;
  readonly byte: number | undefined;
  readonly position: Position;
  readonly what: string;
}

/** Reads a commit log on disk as a start does, and says where that ends at damage. Changes nothing. */
export async function examineCommitLog(options: CommitLogOptions): Promise<CommitLogFinding> {
  const all = await walFiles(options);
  const from = options.from ?? all[0]?.start ?? 0;
  // A start does not look at the files before.
  const files = all.filter((_, i) => limitOf(all, i) > from);
  const groups: Group[] = [];
  const stop = await readUntilDamage(options, files, from, groups);
  const done = (broken?: CommitLogBreak) => ({ groups: groups.map(({ payload }) => payload), from, broken });
  if (stop === undefined) return done();
  const [first, ...later] = files;
  const salvaged = stop.position < from && first !== undefined ? await groupsFrom(options, first, from) : [];
  let cut: Stop | undefined = { ...stop, position: Math.max(stop.position, from) };
  if (salvaged.length > 0 && first !== undefined) {
    // The damage is in what is in segments already. What is needed goes on from there, in a file of its own.
    groups.splice(0, groups.length, ...salvaged);
    const end = salvaged.at(-1)?.end ?? from;
    const here = { ...stop, position: end, byte: byteOf(first, end) };
    if (later[0] === undefined) cut = (await readableFrom(options, files, end)).length > 0 ? here : undefined;
    else cut = later[0].start === end ? await readUntilDamage(options, later, end, groups) : here;
  }
  const given = cut === undefined ? [] : await readableFrom(options, files, cut.position);
  const givenUpFrom = cut?.position ?? Number.POSITIVE_INFINITY;
  const touched = files.filter((_, i) => limitOf(files, i) > givenUpFrom || (i === 0 && salvaged.length > 0));
  return done({
    ...(cut ?? stop),
    harmless: cut === undefined || (stop.position < from && later.length === 0 && given.length === 0),
    lost: given,
    touched: touched.map(({ start }) => fileName(start)),
    mend: async () => {
      const log = files.find(({ header }) => header !== undefined)?.header?.log ?? options.random.uuid();
      const create = (start: Position, epoch: number, content: readonly Group[]) =>
        createFile(options, { start, epoch, log }, content);
      if (salvaged.length > 0) await create(from, first?.header?.epoch ?? 0, salvaged);
      if (cut === undefined) return;
      // With the greatest epoch there was, so that the next writer's is greater still; and before any file goes that has it.
      await create(cut.position, greatestEpoch(files, options.epoch), []);
      for (const { start } of files.toReversed()) {
        if (start <= cut.position) continue;
        await options.files.remove(join(options.directory, fileName(start)));
        await options.files.syncDirectory(options.directory);
      }
    },
  });
}

async function walFiles({ files, directory }: CommitLogOptions): Promise<WalFile[]> {
  const starts: Position[] = [];
  for (const name of await files.list(directory)) {
    const start = startOfName(name);
    if (start !== undefined) starts.push(start);
  }
  starts.sort((a, b) => a - b);
  return Promise.all(
    starts.map(async (start) => {
      try {
        return { start, header: await readFileHeader(files, directory, start), error: undefined };
      } catch (error) {
        if (!isDamage(error)) throw error;
        return { start, header: undefined, error };
      }
    }),
  );
}

/** Where the file stops to count: at the start of the next one. */
function limitOf(files: readonly WalFile[], index: number): Position {
  return files[index + 1]?.start ?? Number.POSITIVE_INFINITY;
}

/** Adds the groups from `from` on, until there is damage that would keep a shard from starting. */
async function readUntilDamage(
  options: CommitLogOptions,
  files: readonly WalFile[],
  from: Position,
  groups: Group[],
): Promise<Stop | undefined> {
  let end = from;
  let epoch = 0;
  let log: string | undefined;
  const [oldest] = files;
  if (oldest === undefined ? (options.from ?? 0) > 0 : oldest.start > from) {
    const what = `is missing: the log is needed from there on, and ${oldest === undefined ? 'has no file' : `begins with ${fileName(oldest.start)}`}`;
    return { file: fileName(from), byte: undefined, position: from, what };
  }
  for (const [i, file] of files.entries()) {
    const { start, header, error } = file;
    const wrong =
      header === undefined
        ? reasonOf(error, join(options.directory, fileName(start)))
        : header.epoch < epoch
          ? `is of epoch ${header.epoch}, and the file before it of ${epoch}`
          : log !== undefined && header.log !== log
            ? `belongs to log ${header.log}, and not to ${log}`
            : undefined;
    if (header === undefined || wrong !== undefined)
      return { file: fileName(start), byte: 0, position: start, what: wrong ?? 'has no header' };
    epoch = header.epoch;
    log = header.log;
    const limit = limitOf(files, i);
    end = start;
    try {
      const { end: last } = await recoverFile(
        options.files,
        options.directory,
        header,
        files[i + 1]?.start,
        (group) => {
          if (group.end <= limit) end = group.end;
          if (group.end <= limit && group.end > from) groups.push(group);
        },
      );
      end = last;
    } catch (failure) {
      if (!isDamage(failure)) throw failure;
      const what = reasonOf(failure, join(options.directory, fileName(start)));
      return { file: fileName(start), byte: byteOf(file, end), position: end, what };
    }
  }
  const newest = files.at(-1);
  if (newest === undefined || end >= from) return undefined;
  const what = `ends at position ${end}, and is needed from ${from} on`;
  return { file: fileName(newest.start), byte: byteOf(newest, end), position: end, what };
}

/** The groups one after the other from `from` on, in the file that has that position. */
async function groupsFrom(options: CommitLogOptions, { start, header }: WalFile, from: Position): Promise<Group[]> {
  if (header === undefined || start > from) return [];
  const bytes = await contentOf(options, start);
  const groups: Group[] = [];
  for (let position = from; ; position = groups.at(-1)?.end ?? position) {
    const group = groupAt(bytes, header, position);
    if (group === undefined) return groups;
    groups.push(group);
  }
}

/** All groups that can be read at or after a position, whatever lies between them. */
async function readableFrom(options: CommitLogOptions, files: readonly WalFile[], from: Position): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  for (const [i, { start, header }] of files.entries()) {
    const limit = limitOf(files, i);
    if (header === undefined || limit <= from) continue;
    const bytes = await contentOf(options, start);
    for (let position = Math.max(start, from); position < limit; ) {
      const group = groupAt(bytes, header, position);
      if (group === undefined) {
        const at = bytes.indexOf(FRAME_MAGIC_BYTES, FILE_HEADER_BYTES + position - start + 1);
        if (at < 0) break;
        position = start + at - FILE_HEADER_BYTES;
        continue;
      }
      payloads.push(group.payload);
      position = group.end;
    }
  }
  return payloads;
}

function groupAt(bytes: Buffer, header: FileHeader, position: Position): Group | undefined {
  const at = FILE_HEADER_BYTES + position - header.start;
  if (bytes.length - at < FRAME_HEADER_BYTES) return undefined;
  const frame = readFrameHeader(bytes, at, header, position);
  if (frame === undefined || frame.closed) return undefined;
  const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + frame.byteLength);
  if (payload.length < frame.byteLength || crc32c(payload) !== frame.payloadCrc) return undefined;
  return { payload, end: position + FRAME_HEADER_BYTES + frame.byteLength };
}

async function contentOf({ files, directory }: CommitLogOptions, start: Position): Promise<Buffer> {
  const file = await files.open(join(directory, fileName(start)), 'read');
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size());
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

async function createFile(
  { files, random, directory }: CommitLogOptions,
  { start, epoch, log }: { start: Position; epoch: number; log: string },
  groups: readonly Group[],
): Promise<void> {
  const header = { start, epoch, log, carriedUpTo: groups.at(-1)?.end ?? start };
  await files.makeDirectory(directory);
  const made = await LogFile.create(files, directory, header, random.bytes(SALT_BYTES), {
    fill: async (file) => {
      for (const { payload, end } of groups) {
        const batch = new WriteBatch(0, FRAME_HEADER_BYTES);
        batch.add({ chunks: [payload], byteLength: payload.length, end }, file, start);
        batch.finish();
        await file.write(batch);
      }
    },
  });
  await made.close();
}

/** The greatest epoch that any writer can have had. One whose header cannot be read had one more than those before. */
function greatestEpoch(files: readonly WalFile[], known: number): number {
  let epoch = known;
  for (const { header } of files) epoch = header === undefined ? epoch + 1 : Math.max(epoch, header.epoch);
  return epoch;
}

function byteOf({ start }: WalFile, position: Position): number {
  return FILE_HEADER_BYTES + position - start;
}

function isDamage(error: unknown): error is BrokerError {
  return error instanceof BrokerError && error.code === 'storage-damaged';
}

/** What recovery says of a file, without its path and without advice that sends the reader here. */
function reasonOf(error: BrokerError | undefined, path: string): string {
  return (error?.message ?? '').replace(`${path} `, '').replace(/ \(byte \d+\)\. .*$/s, '');
}
