import { CodecError } from './codec-error.ts';
import { Message } from './message.ts';
import { Reader } from './reader.ts';
import { array, bytes, type Decoded, type Fields, type Input, int32, string } from './schema.ts';
import { Writer } from './writer.ts';

// What consumers tell each other through the classic group protocol, as bytes that the broker passes on unread: the
// `metadata` of JoinGroup is a subscription, the `assignment` of SyncGroup an assignment. Both begin with an int16
// version, and a reader takes a version that it does not know for the last one that it does: fields are only ever added.

/** The last version that is known of either. */
export const LATEST_VERSION = 3;

const subscription = new Message('ConsumerProtocolSubscription', [0, LATEST_VERSION], {
  topics: array(string()),
  userData: bytes({ nullable: true, default: null }),
  ownedPartitions: array({ topic: string(), partitions: array(int32()) }, { since: 1, default: [] }),
  generationId: int32({ since: 2, default: -1 }),
  rackId: string({ since: 3, nullable: true, default: null }),
});

const assignment = new Message('ConsumerProtocolAssignment', [0, LATEST_VERSION], {
  assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
  userData: bytes({ nullable: true, default: null }),
});

export type ConsumerSubscription = Decoded<typeof subscription.fields>;
export type ConsumerAssignment = Decoded<typeof assignment.fields>;

export function decodeSubscription(metadata: Buffer): ConsumerSubscription {
  return decodeVersioned(subscription, metadata);
}

export function decodeAssignment(bytes: Buffer): ConsumerAssignment {
  return decodeVersioned(assignment, bytes);
}

export function encodeSubscription(value: Input<typeof subscription.fields>, version: number): Buffer {
  return encodeVersioned(subscription, value, version);
}

export function encodeAssignment(value: Input<typeof assignment.fields>, version: number): Buffer {
  return encodeVersioned(assignment, value, version);
}

function decodeVersioned<F extends Fields>(message: Message<F>, bytes: Buffer): Decoded<F> {
  const reader = new Reader(bytes);
  const version = reader.int16();
  if (version < message.versions[0]) throw new CodecError(`${message.name} has no version ${version}`);
  return message.decode(reader, Math.min(version, message.versions[1]));
}

const writer = new Writer();

function encodeVersioned<F extends Fields>(message: Message<F>, value: Input<F>, version: number): Buffer {
  try {
    writer.int16(version);
    message.encode(writer, version, value);
    return Buffer.concat(writer.finish());
  } catch (error) {
    writer.reset();
    throw error;
  }
}
