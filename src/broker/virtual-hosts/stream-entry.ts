import { type FieldTable, longString } from '../messages/index.ts';
import { topicName } from '../streams/stream-of-queue.ts';
import type { QueueOverStream } from '../streams/stream-queue.ts';
import type { Policy } from './policy.ts';
import type { QueueEntry } from './queue-entry.ts';

export type StreamEntry = Extract<QueueEntry, { kind: 'stream' }>;

/** The virtual host in which every stream is seen as a queue of its name. */
export const DEFAULT_VIRTUAL_HOST = '/';

/** Of streams that nobody declared as queues. */
const DISCOVERED: FieldTable = new Map([['x-queue-type', longString('stream')]]);

/** A stream under the name of a queue that was declared; without arguments, of one that was not. */
export function streamEntry(stream: QueueOverStream, policy: Policy | undefined, args = DISCOVERED): StreamEntry {
  return {
    kind: 'stream',
    name: stream.name,
    type: 'stream',
    durable: true,
    exclusive: false,
    autoDelete: false,
    arguments: args,
    owner: undefined,
    policy,
    destination: stream,
    stream,
  };
}

/** Its settings are not those of a queue. */
export function isDiscovered(entry: StreamEntry): boolean {
  return entry.arguments === DISCOVERED;
}

/** It stands for one of several partitions. */
export function isPartition({ stream }: StreamEntry): boolean {
  return topicName(stream.virtualHost, stream.name) !== stream.stream.name;
}
