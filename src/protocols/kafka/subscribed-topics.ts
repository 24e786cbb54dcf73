import { CodecError } from './codec/codec-error.ts';
import { decodeSubscription } from './codec/consumer-protocol.ts';

/** What a group's members call themselves when they consume by Kafka's consumer protocol. */
const CONSUMER = 'consumer';

/** The topics that a member's metadata says it consumes; null when it is no consumer's. */
export function subscribedTopics(protocolType: string, metadata: Buffer): readonly string[] | null {
  if (protocolType !== CONSUMER) return null;
  try {
    return decodeSubscription(metadata).topics;
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
