import type { EmbeddedProtocol } from '../../broker/index.ts';
import { CodecError } from './codec/codec-error.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, LATEST_VERSION } from './codec/consumer-protocol.ts';

const FIRST_VERSION = Buffer.from([0, 0]);

/** What consumers of the classic group protocol tell each other, for groups that go over to the protocol of KIP-848. */
export const embeddedProtocol: EmbeddedProtocol = {
  subscription(metadata) {
    return understood(() => {
      const version = Math.min(metadata.readInt16BE(0), LATEST_VERSION);
      const { topics, ownedPartitions: owned, rackId } = decoded(metadata);
      return { version, topics, owned, rackId };
    });
  },
  assignment: (bytes) => understood(() => decodeAssignment(bytes).assignedPartitions),
  encodeAssignment: (assignedPartitions, version) => encodeAssignment({ assignedPartitions }, version),
};

/** There are clients (@platformatic/kafka, for one) that say version 1 and leave out what that has more than the first. */
function decoded(metadata: Buffer) {
  return (
    understood(() => decodeSubscription(metadata)) ??
    decodeSubscription(Buffer.concat([FIRST_VERSION, metadata.subarray(FIRST_VERSION.length)]))
  );
}

/** Null for what cannot be read. */
function understood<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodecError || error instanceof RangeError) return null;
    throw error;
  }
}
