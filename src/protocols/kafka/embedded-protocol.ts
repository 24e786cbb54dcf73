import type { EmbeddedProtocol } from '../../broker/index.ts';
import { CodecError } from './codec/codec-error.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, LATEST_VERSION } from './codec/consumer-protocol.ts';

/** What consumers of the classic group protocol tell each other, for groups that go over to the protocol of KIP-848. */
export const embeddedProtocol: EmbeddedProtocol = {
  subscription(metadata) {
    return understood(() => {
      const { topics, ownedPartitions: owned, rackId } = decodeSubscription(metadata);
      return { version: Math.min(metadata.readInt16BE(0), LATEST_VERSION), topics, owned, rackId };
    });
  },
  assignment: (bytes) => understood(() => decodeAssignment(bytes).assignedPartitions),
  encodeAssignment: (assignedPartitions, version) => encodeAssignment({ assignedPartitions }, version),
};

function understood<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
