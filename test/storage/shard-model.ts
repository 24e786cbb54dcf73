import type { Durability } from '../../src/storage/index.ts';

/** One batch as the model has it. */
export interface ModelBatch {
  readonly base: number;
  readonly last: number;
  readonly values: readonly Buffer[];
  readonly timestamp: number;
}

export type ModelEntry =
  | {
      readonly kind: 'append';
      readonly logs: readonly string[];
      readonly values: readonly Buffer[];
      readonly timestamp: number;
    }
  | { readonly kind: 'trim'; readonly log: string; readonly before: number }
  | { readonly kind: 'delete'; readonly log: string };

/** What one append to the shard was to do. */
export interface ModelGroup {
  readonly entries: readonly ModelEntry[];
  readonly durability: Durability;
  /** What the shard answered, if anything. */
  outcome: 'acknowledged' | 'rejected' | undefined;
  lost: boolean;
}

export class ModelLog {
  start = 0;
  next = 0;
  deleted = false;
  batches: ModelBatch[] = [];

  clone(): ModelLog {
    const log = new ModelLog();
    Object.assign(log, this, { batches: [...this.batches] });
    return log;
  }

  /** The batch that holds an offset. */
  batchAt(offset: number): ModelBatch | undefined {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.batches[middle] as ModelBatch).last < offset) low = middle + 1;
      else high = middle;
    }
    return this.batches[low];
  }
}

/** What a shard should hold: plain arrays. */
export class ModelState {
  readonly logs = new Map<string, ModelLog>();

  clone(): ModelState {
    const state = new ModelState();
    for (const [id, log] of this.logs) state.logs.set(id, log.clone());
    return state;
  }

  log(id: string): ModelLog {
    let log = this.logs.get(id);
    if (log === undefined) {
      log = new ModelLog();
      this.logs.set(id, log);
    }
    return log;
  }

  apply({ entries }: Pick<ModelGroup, 'entries'>): void {
    for (const entry of entries) {
      if (entry.kind === 'append') {
        for (const id of entry.logs) {
          const log = this.log(id);
          const { values, timestamp } = entry;
          log.batches.push({ base: log.next, last: log.next + values.length - 1, values, timestamp });
          log.next += values.length;
        }
        continue;
      }
      const log = this.log(entry.log);
      if (entry.kind === 'trim') log.start = Math.max(log.start, Math.min(entry.before, log.next));
      else log.deleted = true;
    }
  }
}
