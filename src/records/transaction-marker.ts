import { BrokerError } from '../errors.ts';
import { encodeBatch } from './record-encoder.ts';
import type { LogRecord } from './records.ts';

/*
 * How a transaction ended, as the one record of a control batch (KIP-98; Kafka's ControlRecordType, EndTxnMarker).
 *
 *   key   => version:i16 = 0  type:i16 (0 abort, 1 commit)
 *   value => version:i16 = 0  coordinatorEpoch:i32
 *
 * Later versions only add fields at the end. Other types (leader change, snapshot header and footer, ...) are for Kafka's
 * brokers among themselves.
 */

const VERSION = 0;
const TYPES = ['abort', 'commit'] as const;
const KEY_BYTES = 4;
const VALUE_BYTES = 6;

export type TransactionOutcome = (typeof TYPES)[number];

export interface TransactionMarker {
  readonly outcome: TransactionOutcome;
  /** Of the coordinator that decided it, so that a deposed one's markers can be told. */
  readonly coordinatorEpoch: number;
}

export interface MarkerBatch extends TransactionMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly partitionLeaderEpoch?: number;
}

/** The control batch that ends a producer's transaction in one partition. Its base offset is to be stamped. */
export function encodeMarkerBatch(marker: MarkerBatch): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeInt16BE(VERSION, 0);
  key.writeInt16BE(TYPES.indexOf(marker.outcome), 2);
  const value = Buffer.alloc(VALUE_BYTES);
  value.writeInt16BE(VERSION, 0);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  const { producerId, producerEpoch, timestamp, partitionLeaderEpoch = -1 } = marker;
  const records = [{ key, value, timestamp }];
  return encodeBatch({ records, producerId, producerEpoch, partitionLeaderEpoch, transactional: true, control: true });
}

/** What a control batch's record says; undefined when it is not a transaction's marker. `corrupt-message` when cut short. */
export function decodeMarker(record: LogRecord): TransactionMarker | undefined {
  const { key, value } = record;
  if (key === null || key.length < KEY_BYTES || key.readInt16BE(0) < VERSION) {
    throw new BrokerError('corrupt-message', `the control record at offset ${record.offset} has no type`);
  }
  const outcome = TYPES[key.readInt16BE(2)];
  if (outcome === undefined) return undefined;
  if (value === null || value.length < VALUE_BYTES || value.readInt16BE(0) < VERSION) {
    throw new BrokerError(
      'corrupt-message',
      `the transaction marker at offset ${record.offset} has no coordinator epoch`,
    );
  }
  return { outcome, coordinatorEpoch: value.readInt32BE(2) };
}
