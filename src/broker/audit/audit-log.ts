import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import { batchesIn, decodeRecords, encodeBatch } from '../../records/index.ts';
import type { Log, Shard } from '../../storage/index.ts';
import { type Act, type AuditEntry, type AuditRecord, bounded, type Principal } from './act.ts';
import { Repetitions } from './repetitions.ts';

/** The audit log has this id on the first shard of every broker. */
const AUDIT_LOG_ID = '00000000-0000-4000-8000-000000000006';
/** Entries that wait for the disk, at most; a disk that takes nothing costs those that come then. */
const MAX_WAITING = 10_000;
const MAX_TOGETHER = 1_000;
const RETRY_MS = 1_000;
/** Records that are looked through at a time, before others get their turn. */
const BLOCK = 200;
/** Entries that one question looks through; it is told where to go on. */
const MAX_LOOKED_THROUGH = 50_000;
const READ_BYTES = 256 * 1024;

export interface AuditSettings {
  /** How long entries are kept, in milliseconds. */
  readonly retentionMs: number;
  /** Bytes from which on the oldest go. */
  readonly retentionBytes: number;
}

export const DEFAULT_AUDIT_SETTINGS: AuditSettings = {
  retentionMs: 90 * 24 * 60 * 60_000,
  retentionBytes: 64 * 1024 * 1024,
};

export interface AuditLogOptions {
  readonly shard: Shard;
  readonly clock: Clock;
  readonly settings: AuditSettings;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

export interface AuditQuestion {
  readonly matches: (entry: AuditEntry) => boolean;
  /** At most so many. */
  readonly limit: number;
  /** Only entries before this id. */
  readonly before?: number | undefined;
  /** Only entries of this time and later, or earlier: milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface AuditPage {
  /** The newest first. */
  readonly entries: readonly AuditRecord[];
  /** What to ask for as `before` for more; undefined when there is no more. */
  readonly next: number | undefined;
}

/**
 * Who did what to the broker, and when: durable, and bounded by age and size. To record costs the caller nothing but the making of the entry; entries
 * of the same moment share one append.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #log: Log;
  readonly #repetitions = new Repetitions();
  #waiting: AuditEntry[] = [];
  #lost = 0;
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#log = options.shard.log(AUDIT_LOG_ID);
    // Retention goes by whole segments.
    const bytes = Math.max(64 * 1024, Math.floor(options.settings.retentionBytes / 8));
    this.#log.segmentLimits = { bytes, ms: Math.max(1, Math.floor(options.settings.retentionMs / 8)) };
  }

  /** Everything that was recorded is durable, or could not be made so. */
  get idle(): boolean {
    return this.#writing === undefined;
  }

  record(principal: Principal, act: Act): void {
    const { clock } = this.#options;
    const repeated = this.#repetitions.count(act, principal, clock.monotonic());
    if (repeated === undefined || this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost++;
      return;
    }
    const { protocol, user, address } = principal;
    const entry = { time: clock.now(), user, address, protocol, ...act, ...(repeated > 0 && { repeated }) };
    this.#waiting.push(bounded(entry));
    if (this.#retry === undefined) this.#writing ??= this.#write();
  }

  /** The newest entries first. Of what lies beyond what one question looks through, `next` says where to go on. */
  async read({ matches, limit, before, since = 0, until }: AuditQuestion): Promise<AuditPage> {
    // What was recorded before is there for whoever asks now.
    await this.#writing;
    const entries: AuditRecord[] = [];
    let end = Math.min(before ?? Number.MAX_SAFE_INTEGER, this.#log.highWatermark);
    if (until !== undefined) end = Math.min(end, await this.#endAt(until));
    for (let seen = 0; end > this.#log.startOffset; seen += BLOCK) {
      if (entries.length >= limit || seen >= MAX_LOOKED_THROUGH) return { entries, next: end };
      const block = await this.#block(Math.max(this.#log.startOffset, end - BLOCK), end);
      for (const entry of block.reverse()) {
        end = entry.id;
        if (entry.time < since) return { entries, next: undefined };
        if (entry.time <= (until ?? entry.time) && matches(entry)) entries.push(entry);
        if (entries.length === limit) break;
      }
      if (block.length === 0) break;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return { entries, next: end > this.#log.startOffset && entries.length === limit ? end : undefined };
  }

  /** Lets the oldest go, as retention says. */
  async retain(): Promise<void> {
    const { shard, clock, settings, onTrouble } = this.#options;
    const before = this.#log.retentionOffset(clock.now(), settings.retentionBytes, settings.retentionMs);
    if (before <= this.#log.startOffset) return;
    try {
      await shard.append([{ log: this.#log, before }]).settled;
    } catch (error) {
      onTrouble(toBrokerError(error), 'retention of the audit log was put off');
    }
  }

  /** What was recorded is written, as far as the disk takes it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Those of the same moment go together.
    await undefined;
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, MAX_TOGETHER);
      const records = some.map((entry) => ({
        ...{ timestamp: entry.time, key: null },
        value: Buffer.from(JSON.stringify(entry)),
      }));
      try {
        await this.#options.shard.append([{ log: this.#log, batch: encodeBatch({ records }) }]).settled;
      } catch (error) {
        this.#failed(toBrokerError(error));
        break;
      }
      this.#waiting.splice(0, some.length);
    }
    this.#writing = undefined;
  }

  #failed(error: BrokerError): void {
    const { clock, onTrouble } = this.#options;
    onTrouble(error, `${this.#waiting.length} entries of the audit log wait for the disk, ${this.#lost} are lost`);
    if (this.#closed) return;
    this.#retry = clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      this.#writing ??= this.#write();
    });
  }

  async #block(from: number, to: number): Promise<AuditRecord[]> {
    const entries: AuditRecord[] = [];
    for (let at = from; at < to; ) {
      const { chunks } = await this.#log.read(Math.max(at, this.#log.startOffset), READ_BYTES);
      if (chunks.length === 0) break;
      for (const batch of batchesIn(Buffer.concat(chunks))) {
        at = batch.lastOffset + 1;
        for (const { offset, value } of decodeRecords(batch.bytes))
          if (offset >= from && offset < to && value !== null)
            entries.push({ id: offset, ...(JSON.parse(value.toString()) as AuditEntry) });
      }
    }
    return entries;
  }

  /** The id after the last entry that may be so old. */
  async #endAt(time: number): Promise<number> {
    const batch = await this.#log.batchForTimestamp(time + 1);
    if (batch === undefined) return this.#log.highWatermark;
    let end = 0;
    for (const { lastOffset } of batchesIn(batch)) end = lastOffset + 1;
    return end;
  }
}
