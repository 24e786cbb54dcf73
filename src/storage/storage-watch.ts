import type { Clock, Timer } from '../environment/environment.ts';
import { BrokerError, toBrokerError } from '../errors.ts';
import type { CommitLog } from './commit-log.ts';
import type { SegmentStore } from './segment-store.ts';

/** Also how long appends may be acknowledged after somebody removed the data directory. */
const CHECK_MS = 5_000;

export interface StorageWatchOptions {
  readonly clock: Clock;
  readonly commitLog: CommitLog;
  readonly store: SegmentStore;
  /** With less than this free, the device counts as full. */
  readonly minFreeBytes: number;
  readonly onTrouble: (error: BrokerError, what: string) => void;
  /** The files that everything is written to are not there any more. */
  readonly onGone: (error: BrokerError) => void;
}

/** Looks now and then for free space, and whether the files are still there that everything is written to. */
export class StorageWatch {
  /** There is (nearly) no space, or the device has refused a write since the last look. */
  full = false;
  readonly #options: StorageWatchOptions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#check().then(() => {
      if (this.#stopped) return;
      this.#timer = this.#options.clock.setTimer(CHECK_MS, () => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #check(): Promise<void> {
    const { commitLog, store, minFreeBytes, onTrouble, onGone } = this.#options;
    try {
      await commitLog.check?.();
      const free = await store.freeBytes();
      const full = free < minFreeBytes;
      if (full && !this.full) {
        const error = new BrokerError('storage-full', `${free} bytes free, ${minFreeBytes} wanted`);
        onTrouble(error, 'writers are refused until there is space');
      }
      this.full = full;
    } catch (thrown) {
      if (this.#stopped) return;
      const error = toBrokerError(thrown);
      if (error.code === 'storage-damaged') onGone(error);
      else if (error.code === 'not-found') onGone(takenAway(error));
      else onTrouble(error, 'free space is not known');
    }
  }
}

function takenAway(cause: BrokerError): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `the data directory was taken away while it was in use (${cause.message}): stop the broker, and restore it from a copy`,
    { cause },
  );
}
