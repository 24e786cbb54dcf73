import type { SharePartition } from '../../broker/index.ts';
import type { RequestContext } from './handler.ts';

/** Tells when there may be more to acquire from any of several partitions. */
export class ShareAvailability {
  readonly #context: RequestContext;
  readonly #stops = new Map<SharePartition, () => void>();
  /** Since the last look. */
  #heard = false;
  #wake: (() => void) | undefined;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** There is nothing that could be waited for. */
  get isEmpty(): boolean {
    return this.#stops.size === 0;
  }

  /** A look is about to be taken: what becomes available from now on counts. */
  look(): void {
    this.#heard = false;
  }

  watch(partition: SharePartition): void {
    if (this.#stops.has(partition)) return;
    const stop = partition.onAvailable(() => {
      this.#heard = true;
      this.#wake?.();
    });
    this.#stops.set(partition, stop);
  }

  /** Waits for something to have become available since the last look; false when the time or the connection ended first. */
  async wait(ms: number): Promise<boolean> {
    if (this.#heard) return true;
    const { clock } = this.#context.broker.environment;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(ms, resolve);
    const leave = this.#context.onClose(resolve);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    timer.cancel();
    leave();
    return this.#heard;
  }

  end(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }
}
