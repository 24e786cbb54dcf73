import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { readLines, writeLines } from './checked-lines.ts';

const NAME = 'restore';

/** What a data directory says of itself that was restored. */
export interface RestoreMark {
  /** A restore that has not ended leaves a directory that no broker must start on. */
  readonly finished: boolean;
  readonly backup: string;
  /** What is there is the state of this time; milliseconds since the epoch. */
  readonly time: number;
}

export async function writeRestoreMark(files: FileSystem, data: string, mark: RestoreMark): Promise<void> {
  await writeLines(files, join(data, NAME), [mark]);
}

/**
 * The mark of a directory that was restored and that no broker has started on since. Rejects with `storage-damaged` where a restore did not come
 * to its end.
 */
export async function readRestoreMark(files: FileSystem, data: string): Promise<RestoreMark | undefined> {
  if (!(await files.list(data)).includes(NAME)) return undefined;
  const marks: RestoreMark[] = [];
  await readLines(files, join(data, NAME), (value) => marks.push(value as RestoreMark));
  const [mark] = marks;
  if (mark?.finished !== true)
    throw new BrokerError(
      'storage-damaged',
      `${data} is what a restore left that did not come to its end: restore again (sluice restore --force), or remove it`,
    );
  return mark;
}

/** A broker has taken note of it. */
export async function removeRestoreMark(files: FileSystem, data: string): Promise<void> {
  await files.remove(join(data, NAME));
  await files.syncDirectory(data);
}
