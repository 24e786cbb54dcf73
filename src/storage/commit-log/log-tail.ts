import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import type { CommitLogTail, Position, TailGroup } from '../commit-log.ts';
import { FILE_HEADER_BYTES, fileName } from './file-header.ts';
import { FRAME_HEADER_BYTES } from './group-frame.ts';
import { damaged, FrameReader, readFileHeader } from './recovery.ts';

export interface LogTailOptions {
  readonly files: FileSystem;
  readonly directory: string;
  /** The end of a group. */
  readonly from: Position;
  /** Of the log's files, oldest first. */
  readonly starts: () => readonly Position[];
  /** What lies before its position is not kept any more. */
  readonly onMoved: () => void;
  readonly onReleased: () => void;
}

/** Reads the files of a log that is being written. */
export class LogTail implements CommitLogTail {
  position: Position;
  keptFrom: Position;
  readonly #options: LogTailOptions;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.position = options.from;
    this.keptFrom = options.from;
  }

  async read(upTo: Position, maxBytes: number, visit: (group: TailGroup) => void): Promise<void> {
    let left = maxBytes;
    let at = this.position;
    while (at < upTo && left > 0) {
      const { starts } = this.#options;
      const start = starts().findLast((each) => each <= at);
      if (start === undefined)
        throw damaged(join(this.#options.directory, fileName(at)), 0, 'is missing, and was to be kept');
      // What is durable is in files that are there already, and does not lie in the former one's end.
      const end = Math.min(upTo, starts().find((each) => each > start) ?? upTo);
      const reached = await this.#readFile(start, { from: at, end, maxBytes: left }, visit);
      left -= reached - at;
      at = reached;
    }
    this.position = at;
  }

  settle(): void {
    this.keptFrom = this.position;
    this.#options.onMoved();
  }

  rewind(): void {
    this.position = this.keptFrom;
  }

  release(): void {
    this.#options.onReleased();
    this.#options.onMoved();
  }

  async #readFile(
    start: Position,
    { from, end, maxBytes }: { readonly from: Position; readonly end: Position; readonly maxBytes: number },
    visit: (group: TailGroup) => void,
  ): Promise<Position> {
    const { files, directory } = this.#options;
    const header = await readFileHeader(files, directory, start);
    const path = join(directory, fileName(start));
    const file = await files.open(path, 'read');
    try {
      const reader = new FrameReader(file, header, Math.min(end - from, maxBytes) + FRAME_HEADER_BYTES, from);
      while (reader.position < end && reader.position - from < maxBytes) {
        const frame = await reader.nextHeader();
        const payload = frame && !frame.closed ? await reader.payload(frame) : undefined;
        if (frame === undefined || payload === undefined)
          throw damaged(path, FILE_HEADER_BYTES + reader.position - start, 'is damaged where it was durable');
        visit({ payload, payloadCrc: frame.payloadCrc, end: reader.position, epoch: header.epoch });
      }
      return reader.position;
    } finally {
      await file.close();
    }
  }
}
