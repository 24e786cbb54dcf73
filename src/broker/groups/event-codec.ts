import { BrokerError } from '../../errors.ts';
import { VarintReader, varintSize, varlongSize, writeVarint, writeVarlong } from '../../records/varint.ts';
import type { EventCodec } from '../event-log.ts';
import type { OffsetToCommit, TopicPartitions } from './offsets.ts';
import {
  type GroupEvent,
  type JsonMembership,
  membershipFromJson,
  membershipToJson,
  type OffsetsCommitted,
} from './state.ts';

/*
 * Consumers commit all the time, so a commit has a compact form, a fifth to a ninth of the size of its JSON and quicker to
 * replay; all other events are rare, and JSON. The first byte tells them apart: JSON begins with a brace.
 *
 *   commit    => 0x01 groupId timestamp expires+1 [topic]      (expires+1: 0 when it was not said)
 *   topic     => name id(16 bytes) [partition]
 *   partition => index offset leaderEpoch metadata+1           (a length of 0 is no metadata at all)
 *
 * Numbers are zigzag varints; a string is its length in bytes and UTF-8; [x] is a count and so many x.
 */
const COMMIT = 0x01;
const UUID_BYTES = 16;

/** An event as the bytes of a record, and back. */
export const groupEventCodec: EventCodec<GroupEvent> = { encode: encodeEvent, decode: decodeEvent };

export function encodeEvent(event: GroupEvent): Buffer {
  if (event.type === 'offsets-committed') return encodeCommit(event);
  if (event.type !== 'membership-stored') return Buffer.from(JSON.stringify(event));
  return Buffer.from(JSON.stringify({ ...event, membership: membershipToJson(event.membership) }));
}

export function decodeEvent(bytes: Buffer): GroupEvent {
  if (bytes[0] === COMMIT) return decodeCommit(bytes);
  const event = JSON.parse(bytes.toString()) as JsonEvent;
  if (event.type !== 'membership-stored') return event;
  return { ...event, membership: membershipFromJson(event.membership) };
}

type JsonEvent =
  | Exclude<GroupEvent, { type: 'membership-stored' | 'offsets-committed' }>
  | { readonly type: 'membership-stored'; readonly groupId: string; readonly membership: JsonMembership };

function encodeCommit({ groupId, timestamp, expires, topics }: OffsetsCommitted): Buffer {
  const ends = expires === null ? 0 : expires + 1;
  let size = 1 + stringSize(groupId) + varlongSize(timestamp) + varlongSize(ends) + varintSize(topics.length);
  for (const { topic, partitions } of topics) {
    size += stringSize(topic) + UUID_BYTES + varintSize(partitions.length);
    for (const partition of partitions) size += offsetSize(partition);
  }
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = COMMIT;
  let at = writeString(bytes, groupId, 1);
  at = writeVarlong(bytes, timestamp, at);
  at = writeVarlong(bytes, ends, at);
  at = writeVarint(bytes, topics.length, at);
  for (const { topic, topicId, partitions } of topics) {
    at = writeString(bytes, topic, at);
    at = writeUuid(bytes, topicId, at);
    at = writeVarint(bytes, partitions.length, at);
    for (const { partition, offset, leaderEpoch, metadata } of partitions) {
      at = writeVarint(bytes, partition, at);
      at = writeVarlong(bytes, offset, at);
      at = writeVarint(bytes, leaderEpoch, at);
      at = writeVarint(bytes, metadata === null ? 0 : Buffer.byteLength(metadata) + 1, at);
      if (metadata !== null) at += bytes.write(metadata, at);
    }
  }
  return bytes;
}

function decodeCommit(bytes: Buffer): OffsetsCommitted {
  const reader = new VarintReader(bytes, 1, bytes.length);
  const groupId = readString(reader, reader.varint());
  const timestamp = reader.varlong();
  const ends = reader.varlong();
  const topics: TopicPartitions<OffsetToCommit>[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const topic = readString(reader, reader.varint());
    const topicId = readUuid(reader);
    const partitions: OffsetToCommit[] = [];
    for (let more = reader.varint(); more > 0; more--) {
      const partition = reader.varint();
      const offset = reader.varlong();
      const leaderEpoch = reader.varint();
      const length = reader.varint();
      partitions.push({
        partition,
        offset,
        leaderEpoch,
        metadata: length === 0 ? null : readString(reader, length - 1),
      });
    }
    topics.push({ topic, topicId, partitions });
  }
  return { type: 'offsets-committed', groupId, timestamp, expires: ends === 0 ? null : ends - 1, topics };
}

function offsetSize({ partition, offset, leaderEpoch, metadata }: OffsetToCommit): number {
  const length = metadata === null ? 0 : Buffer.byteLength(metadata);
  const lengthSize = varintSize(metadata === null ? 0 : length + 1);
  return varintSize(partition) + varlongSize(offset) + varintSize(leaderEpoch) + lengthSize + length;
}

function stringSize(text: string): number {
  const length = Buffer.byteLength(text);
  return varintSize(length) + length;
}

function writeString(bytes: Buffer, text: string, at: number): number {
  const start = writeVarint(bytes, Buffer.byteLength(text), at);
  return start + bytes.write(text, start);
}

function readString(reader: VarintReader, length: number): string {
  const start = reader.at;
  skip(reader, length);
  return reader.buffer.toString('utf8', start, reader.at);
}

function writeUuid(bytes: Buffer, uuid: string, at: number): number {
  if (bytes.write(uuid.replaceAll('-', ''), at, UUID_BYTES, 'hex') !== UUID_BYTES) {
    throw new BrokerError('invalid-argument', `a topic's id is a UUID, not ${uuid}`);
  }
  return at + UUID_BYTES;
}

function readUuid(reader: VarintReader): string {
  const start = reader.at;
  skip(reader, UUID_BYTES);
  const hex = reader.buffer.toString('hex', start, reader.at);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function skip(reader: VarintReader, length: number): void {
  if (length < 0 || length > reader.end - reader.at) {
    throw new BrokerError('corrupt-message', `a commit of offsets is cut short at byte ${reader.at}`);
  }
  reader.at += length;
}
