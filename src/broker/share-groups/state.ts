import { VarintReader } from '../../records/index.ts';
import { AckSet } from '../delivery/ack-set.ts';
import { encodeNumbers, pushRanges, readRanges } from '../delivery/offset-codec.ts';
import { type EventCodec, jsonCodec, type StateMachine } from '../event-log.ts';

/** What is durable of the share groups, of one shard's partitions. Who has which records now is not. */
export interface ShareState {
  /** By the group's id and `placeKey`. */
  readonly groups: Map<string, Map<string, DeliveryState>>;
  /** How many there are of all groups. */
  size: number;
}

/** Of one group in one partition. */
export interface DeliveryState {
  readonly streamId: string;
  readonly partition: number;
  done: AckSet;
  /** How often records were delivered that came back. */
  readonly counts: Map<number, number>;
}

/** Records that came back, and how often they had been delivered; from the first to the last (inclusive). */
export interface ReturnedRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

interface Place {
  readonly groupId: string;
  /** UUIDs, as all identities here. */
  readonly streamId: string;
  readonly partition: number;
}

export interface Settled extends Place {
  readonly type: 'settled';
  /** All before it is done with, and perhaps had no records at all. */
  readonly floor: number;
  /** Done with besides: pairs of `from`, `to` (exclusive), ascending. */
  readonly done: readonly number[];
  readonly returned: readonly ReturnedRange[];
}

export type ShareEvent =
  /** Whatever was before is forgotten. */
  | (Place & { readonly type: 'started'; readonly offset: number })
  | Settled
  /** The partition's log has lost what came from there on. */
  | (Place & { readonly type: 'rolled-back'; readonly offset: number })
  /** Null for all streams. */
  | { readonly type: 'forgotten'; readonly groupId: string; readonly streamIds: readonly string[] | null }
  | { readonly type: 'stream-deleted'; readonly streamId: string };

export function placeKey(streamId: string, partition: number): string {
  return `${streamId}/${partition}`;
}

export const shareMachine: StateMachine<ShareState, ShareEvent> = {
  initial: () => ({ groups: new Map(), size: 0 }),
  apply(state, event) {
    switch (event.type) {
      case 'started': {
        const { streamId, partition, offset } = event;
        const delivery = { streamId, partition, done: new AckSet(offset), counts: new Map() };
        const group = state.groups.get(event.groupId) ?? new Map<string, DeliveryState>();
        const before = group.size;
        group.set(placeKey(streamId, partition), delivery);
        state.groups.set(event.groupId, group);
        state.size += group.size - before;
        return;
      }
      case 'settled': {
        const delivery = deliveryAt(state, event);
        if (delivery !== undefined) settle(delivery, event);
        return;
      }
      case 'rolled-back': {
        const delivery = deliveryAt(state, event);
        if (delivery === undefined) return;
        delivery.done.rollBack(event.offset);
        for (const offset of [...delivery.counts.keys()]) if (offset >= event.offset) delivery.counts.delete(offset);
        return;
      }
      case 'forgotten':
        forget(state, event.groupId, ({ streamId }) => event.streamIds?.includes(streamId) ?? true);
        return;
      case 'stream-deleted':
        for (const groupId of [...state.groups.keys()])
          forget(state, groupId, ({ streamId }) => streamId === event.streamId);
        return;
    }
  },
  toSnapshot: ({ groups }): Snapshot =>
    Array.from(groups, ([groupId, partitions]) => ({
      groupId,
      partitions: Array.from(partitions.values(), ({ streamId, partition, done, counts }) => ({
        streamId,
        partition,
        floor: done.floor,
        ...(done.count > 0 && { done: [...done.ranges()].flat() }),
        ...(counts.size > 0 && { counts: [...counts] }),
      })),
    })),
  fromSnapshot(data) {
    const state = shareMachine.initial();
    for (const { groupId, partitions } of data as Snapshot) {
      const group = new Map<string, DeliveryState>();
      for (const { streamId, partition, floor, done = [], counts = [] } of partitions) {
        const delivery = { streamId, partition, done: new AckSet(floor), counts: new Map(counts) };
        addPairs(delivery.done, done);
        group.set(placeKey(streamId, partition), delivery);
      }
      state.groups.set(groupId, group);
      state.size += group.size;
    }
    return state;
  },
};

type Snapshot = {
  readonly groupId: string;
  readonly partitions: readonly {
    readonly streamId: string;
    readonly partition: number;
    readonly floor: number;
    readonly done?: readonly number[];
    readonly counts?: readonly (readonly [offset: number, count: number])[];
  }[];
}[];

function deliveryAt({ groups }: ShareState, { groupId, streamId, partition }: Place): DeliveryState | undefined {
  return groups.get(groupId)?.get(placeKey(streamId, partition));
}

function settle({ done, counts }: DeliveryState, event: Settled): void {
  forgetCounts(counts, done.floor, event.floor);
  done.addRange(done.floor, event.floor);
  addPairs(done, event.done);
  // Pairs: both are there.
  for (let i = 0; i < event.done.length; i += 2) forgetCounts(counts, event.done[i]!, event.done[i + 1]!);
  for (const { firstOffset, lastOffset, deliveryCount } of event.returned)
    for (let offset = firstOffset; offset <= lastOffset; offset++)
      if (!done.has(offset)) counts.set(offset, deliveryCount);
}

/** Those from `from` to `to` (exclusive), whichever are fewer: the offsets, or the counts that there are. */
function forgetCounts(counts: Map<number, number>, from: number, to: number): void {
  if (to - from < counts.size) for (let offset = from; offset < to; offset++) counts.delete(offset);
  else for (const offset of counts.keys()) if (offset >= from && offset < to) counts.delete(offset);
}

function addPairs(done: AckSet, pairs: readonly number[]): void {
  // Pairs: both are there.
  for (let i = 0; i < pairs.length; i += 2) done.addRange(pairs[i]!, pairs[i + 1]!);
}

function forget(state: ShareState, groupId: string, goes: (delivery: DeliveryState) => boolean): void {
  const group = state.groups.get(groupId);
  if (group === undefined) return;
  for (const [key, delivery] of [...group]) if (goes(delivery) && group.delete(key)) state.size--;
  if (group.size === 0) state.groups.delete(groupId);
}

const SETTLED = 1;
const UUID_LENGTH = 36;
const json = jsonCodec<Exclude<ShareEvent, Settled>>();

/*
 *   settled => 1 partition floor ranges count {first - last of the one before, length - 1, delivery count}* streamId:36 bytes groupId
 *
 * in the words of offset-codec.ts; all other events are JSON, which begins with a brace.
 */
export const shareEventCodec: EventCodec<ShareEvent> = {
  encode(event) {
    if (event.type !== 'settled') return json.encode(event);
    const numbers = [SETTLED, event.partition, event.floor];
    pushRanges(numbers, event.done);
    numbers.push(event.returned.length);
    let last = 0;
    for (const { firstOffset, lastOffset, deliveryCount } of event.returned) {
      numbers.push(firstOffset - last, lastOffset - firstOffset, deliveryCount);
      last = lastOffset;
    }
    return Buffer.concat([encodeNumbers(numbers), Buffer.from(event.streamId + event.groupId)]);
  },
  decode(bytes) {
    if (bytes[0] !== SETTLED) return json.decode(bytes);
    const reader = new VarintReader(bytes, 1, bytes.length);
    const [partition, floor] = [reader.varlong(), reader.varlong()];
    const done: number[] = [];
    readRanges(reader, (from, to) => done.push(from, to));
    const returned: ReturnedRange[] = [];
    let last = 0;
    for (let count = reader.varlong(); count > 0; count--) {
      const firstOffset = last + reader.varlong();
      last = firstOffset + reader.varlong();
      returned.push({ firstOffset, lastOffset: last, deliveryCount: reader.varlong() });
    }
    const groupAt = reader.at + UUID_LENGTH;
    const streamId = bytes.toString('latin1', reader.at, groupAt);
    return { type: 'settled', groupId: bytes.toString('utf8', groupAt), streamId, partition, floor, done, returned };
  },
};
