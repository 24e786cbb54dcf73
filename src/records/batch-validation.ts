import { BrokerError } from '../errors.ts';
import {
  BATCH_HEADER_BYTES,
  baseSequence,
  baseTimestamp,
  batchSize,
  CURRENT_MAGIC,
  compression,
  crc,
  hasValidCrc,
  lastOffsetDelta,
  MIN_RECORD_BYTES,
  magic,
  maxTimestamp,
  NONE,
  producerEpoch,
  producerId,
  recordCount,
} from './record-batch.ts';

/** The magic byte ends here in every format there has been; the headers before record batches are shorter after it. */
const BYTES_TO_MAGIC = 17;

/**
 * Checks that a whole, undamaged batch of the current version begins at `at`, of which `available` bytes are there.
 * Holds for every batch, those that compaction thinned out included. Throws `corrupt-message` for a bad length, magic or
 * CRC, `invalid-record` for the message formats before record batches.
 */
export function verifyIntegrity(buffer: Buffer, at: number, available: number): void {
  if (available < BYTES_TO_MAGIC) {
    throw new BrokerError('corrupt-message', `${available} bytes are too few for a record batch`);
  }
  const version = magic(buffer, at);
  if (version !== CURRENT_MAGIC) throw wrongMagic(version);
  const size = batchSize(buffer, at);
  if (size < BATCH_HEADER_BYTES || size > available) {
    throw new BrokerError('corrupt-message', `a record batch says it has ${size} bytes; ${available} are there`);
  }
  if (!hasValidCrc(buffer, at)) {
    throw new BrokerError(
      'corrupt-message',
      `a record batch of ${size} bytes does not have the CRC ${crc(buffer, at)} that it claims`,
    );
  }
}

function wrongMagic(version: number): BrokerError {
  if (version === 0 || version === 1) {
    return new BrokerError(
      'invalid-record',
      `messages of format ${version} are not supported: use a client that speaks Kafka 0.11 or newer (Produce version 3, record batches)`,
    );
  }
  return new BrokerError('corrupt-message', `magic ${version} is not that of a record batch`);
}

/**
 * Checks a batch as a producer sends it, without looking at its records: `verifyIntegrity`, then that its header makes
 * sense. Throws `invalid-record` where it does not. Whether this producer may send a control batch, a transactional one
 * or these timestamps is for the caller to say. Allocates nothing but the CRC's view of the bytes.
 */
export function validateBatch(buffer: Buffer, at: number, available: number): void {
  verifyIntegrity(buffer, at, available);
  const count = recordCount(buffer, at);
  if (count <= 0) throw new BrokerError('invalid-record', `a record batch says it has ${count} records`);
  const delta = lastOffsetDelta(buffer, at);
  if (delta !== count - 1) {
    throw new BrokerError('invalid-record', `a record batch of ${count} records has the last offset delta ${delta}`);
  }
  // Throws for an unknown codec.
  if (compression(buffer, at) === 'none' && count > (batchSize(buffer, at) - BATCH_HEADER_BYTES) / MIN_RECORD_BYTES) {
    throw new BrokerError('invalid-record', `${count} records do not fit a batch of ${batchSize(buffer, at)} bytes`);
  }
  // Read for their bounds: from here on nobody need expect these accessors to throw.
  baseTimestamp(buffer, at);
  maxTimestamp(buffer, at);
  if (producerId(buffer, at) !== NONE) validateProducer(buffer, at);
}

function validateProducer(buffer: Buffer, at: number): void {
  const id = producerId(buffer, at);
  const epoch = producerEpoch(buffer, at);
  const sequence = baseSequence(buffer, at);
  if (id < 0 || epoch < 0 || sequence < 0) {
    throw new BrokerError(
      'invalid-record',
      `producer id ${id}, epoch ${epoch} and sequence ${sequence} do not go together`,
    );
  }
}
