import type { Catalog } from '../catalog/catalog.ts';

/** Ids that are reserved at a time, so that giving one out costs no append. */
const BLOCK = 1000;
/** Many more than are given out between a backup and a restore. */
const LEAP = 1_000_000_000;

/** Gives out producer ids, each once in the life of the data. */
export class ProducerIds {
  readonly #catalog: Catalog;
  #next = 0;
  #end = 0;
  #reserving: Promise<void> | undefined;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async allocate(): Promise<number> {
    while (this.#next >= this.#end) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
    return this.#next++;
  }

  /** Passes over ids that may have been given out by a broker whose data, as of an earlier time, was restored here. */
  async leap(): Promise<void> {
    await this.#catalog.change(({ nextProducerId }) => [
      { type: 'producer-ids-reserved', next: nextProducerId + LEAP },
    ]);
  }

  async #reserve(): Promise<void> {
    let first = 0;
    await this.#catalog.change(({ nextProducerId }) => {
      first = nextProducerId;
      return [{ type: 'producer-ids-reserved', next: first + BLOCK }];
    });
    this.#next = first;
    this.#end = first + BLOCK;
  }
}
