import { BrokerError } from '../../errors.ts';

/** A record that a stream does not take, and why. */
export interface RejectedRecord {
  /** Its place in the batch. */
  readonly index: number;
  readonly reason: string;
}

/** `invalid-record` for some of the records of a batch, and therefore for all: a batch is appended whole or not at all. */
export class RejectedRecords extends BrokerError {
  readonly records: readonly RejectedRecord[];

  constructor(records: readonly RejectedRecord[]) {
    super('invalid-record', `${records.length} of the batch's records cannot be taken: ${records[0]?.reason}`);
    this.records = records;
  }
}
