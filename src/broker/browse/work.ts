/** Records that are looked at before others have their turn of the event loop. */
const PIECE_RECORDS = 2000;
const PIECE_BYTES = 1024 * 1024;

export interface WorkLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What one request has had looked at so far, and how much it may. */
export class Work {
  records = 0;
  /** Of what was read, and of what that was decompressed to. */
  bytes = 0;
  readonly #limits: WorkLimits;
  #pauseRecords = PIECE_RECORDS;
  #pauseBytes = PIECE_BYTES;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  /** Nothing more is to be looked at. */
  get spent(): boolean {
    return this.records >= this.#limits.maxRecords || this.bytes >= this.#limits.maxBytes;
  }

  /** So much was done at a stretch that others should have their turn. True once, then false until as much was done again. */
  get isDue(): boolean {
    if (this.records < this.#pauseRecords && this.bytes < this.#pauseBytes) return false;
    this.#pauseRecords = this.records + PIECE_RECORDS;
    this.#pauseBytes = this.bytes + PIECE_BYTES;
    return true;
  }
}
