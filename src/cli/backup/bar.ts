import type { Progress as Work } from '../../storage/backup/index.ts';
import { size } from '../output.ts';
import { pause } from '../pause.ts';
import { Progress } from '../terminal/progress.ts';

const LOOK_MS = 100;

/** A bar for work that counts its bytes, of which it learns while it goes on how many there are. */
export class BytesBar {
  readonly #bar: Progress;
  #done = 0;

  constructor(doing: string) {
    this.#bar = new Progress({ doing, total: 1, amount: size });
  }

  show(done: number, total: number): void {
    this.#bar.total = Math.max(1, total);
    this.#bar.add(done - this.#done);
    this.#done = done;
  }

  end(): void {
    this.#bar.end();
  }
}

/** Shows how far work in this process is, until it has ended. */
export async function watched<Result>(doing: string, progress: Work, work: Promise<Result>): Promise<Result> {
  const bar = new BytesBar(doing);
  let ended = false;
  const settled = work.finally(() => {
    ended = true;
  });
  settled.catch(() => {});
  while (!ended) {
    bar.show(progress.bytesDone, progress.bytesTotal);
    await Promise.race([settled.catch(() => {}), pause(LOOK_MS)]);
  }
  bar.end();
  return settled;
}
