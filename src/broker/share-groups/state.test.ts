import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ShareEvent, type ShareState, shareEventCodec, shareMachine } from './state.ts';

const streamId = fc.constantFrom(
  '00000000-0000-4000-8000-0000000000a1',
  'ffffffff-ffff-4fff-bfff-ffffffffffff',
  '12345678-1234-4234-9234-123456789abc',
);
const groupId = fc.constantFrom('g', 'Gruppe ü', '組');
const place = { groupId, streamId, partition: fc.nat({ max: 2 }) };
const offset = fc.nat({ max: 40 });
const ranges = fc.uniqueArray(offset, { maxLength: 8 }).map((offsets) => {
  const sorted = [...offsets].sort((a, b) => a - b);
  return sorted.slice(0, sorted.length - (sorted.length % 2));
});

const event: fc.Arbitrary<ShareEvent> = fc.oneof(
  fc.record({ type: fc.constant('started' as const), ...place, offset }),
  fc.record({
    type: fc.constant('settled' as const),
    ...place,
    floor: offset,
    done: ranges,
    returned: fc.tuple(ranges, fc.integer({ min: 1, max: 10 })).map(([pairs, deliveryCount]) =>
      pairs.flatMap((firstOffset, i) => {
        const end = pairs[i + 1];
        return i % 2 === 1 || end === undefined ? [] : [{ firstOffset, lastOffset: end - 1, deliveryCount }];
      }),
    ),
  }),
  fc.record({ type: fc.constant('rolled-back' as const), ...place, offset }),
  fc.record({
    type: fc.constant('forgotten' as const),
    groupId,
    streamIds: fc.option(fc.array(streamId, { maxLength: 2 })),
  }),
  fc.record({ type: fc.constant('stream-deleted' as const), streamId }),
);

function run(events: readonly ShareEvent[]): ShareState {
  const state = shareMachine.initial();
  for (const each of events) shareMachine.apply(state, each);
  return state;
}

const plain = (state: ShareState) => JSON.parse(JSON.stringify(shareMachine.toSnapshot(state))) as unknown;

it('events are what they were when they are read again', () => {
  fc.assert(
    fc.property(event, (each) => {
      expect(shareEventCodec.decode(shareEventCodec.encode(each))).toEqual(each);
    }),
  );
});

it('a snapshot is the state, and events go on from it', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.array(event, { maxLength: 10 }), (before, after) => {
      const whole = run(before);
      const restored = shareMachine.fromSnapshot(plain(whole));
      for (const state of [whole, restored]) for (const each of after) shareMachine.apply(state, each);
      expect(plain(restored)).toEqual(plain(whole));
      expect(restored.size).toBe(whole.size);
      const partitions = [...whole.groups.values()];
      expect(whole.size).toBe(partitions.reduce((sum, { size }) => sum + size, 0));
    }),
  );
});
