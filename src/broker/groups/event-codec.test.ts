import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import { TOPIC_ID } from './fixture.contract.ts';
import { type GroupEvent, groupsStateMachine } from './state.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 });
const groupId = fc.constantFrom('g', 'h');
const topicId = fc.constantFrom(TOPIC_ID, '00000000-0000-4000-8000-000000000000');
const partition = fc.nat({ max: 3 });

const committed = fc.record({
  type: fc.constant('offsets-committed' as const),
  groupId,
  timestamp: time,
  expires: fc.option(time),
  topics: fc.array(
    fc.record({
      topic: text,
      topicId,
      partitions: fc.array(
        fc.record({
          partition,
          offset: fc.maxSafeInteger(),
          leaderEpoch: fc.integer({ min: -1, max: 0x7fff_ffff }),
          metadata: fc.option(text),
        }),
      ),
    }),
  ),
});

const stored = fc.record({
  type: fc.constant('membership-stored' as const),
  groupId,
  membership: fc.record({
    generation: fc.nat(),
    protocolType: fc.option(text),
    protocolName: fc.option(text),
    leader: fc.option(text),
    since: time,
    members: fc.array(
      fc.record({
        memberId: text,
        groupInstanceId: fc.option(text),
        clientId: text,
        clientHost: text,
        sessionTimeoutMs: fc.nat(),
        rebalanceTimeoutMs: fc.nat(),
        protocols: fc.array(fc.record({ name: text, metadata: bytes }), { maxLength: 3 }),
        assignment: bytes,
      }),
      { maxLength: 3 },
    ),
  }),
});

const assignment = fc
  .uniqueArray(topicId)
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.record({ topicId: fc.constant(id), partitions: fc.array(partition) }))),
  );

const consumerChanged: fc.Arbitrary<GroupEvent> = fc.record({
  type: fc.constant('consumer-group-changed' as const),
  groupId,
  change: fc.record({
    at: time,
    epoch: fc.nat(),
    assignmentEpoch: fc.nat(),
    topics: fc.option(fc.array(fc.tuple(topicId, fc.nat()))),
    gone: fc.array(fc.constantFrom('m1', 'm2', 'm3')),
    members: fc.array(
      fc.record({
        memberId: fc.constantFrom('m1', 'm2', 'm3'),
        instanceId: fc.option(fc.constantFrom('i1', 'i2')),
        rackId: fc.option(fc.string()),
        clientId: fc.string(),
        clientHost: fc.string(),
        rebalanceTimeoutMs: fc.nat(),
        topicNames: fc.array(fc.string()),
        topicRegex: fc.string(),
        assignor: fc.option(fc.constantFrom('uniform', 'range')),
        epoch: fc.integer({ min: -2 }),
        previousEpoch: fc.nat(),
        state: fc.constantFrom('stable' as const, 'revoking' as const, 'waiting' as const),
        assigned: assignment,
        revoking: assignment,
      }),
    ),
    targets: fc.array(fc.tuple(fc.constantFrom('m1', 'm2', 'm3'), assignment)),
  }),
});

const event: fc.Arbitrary<GroupEvent> = fc.oneof(
  committed,
  stored,
  consumerChanged,
  fc.record({
    type: fc.constant('offsets-deleted' as const),
    groupId,
    topics: fc.array(fc.record({ topicId, partitions: fc.array(partition) })),
  }),
  fc.record({
    type: fc.constant('offsets-expired' as const),
    groupId,
    topics: fc.array(fc.record({ topicId, partitions: fc.array(fc.record({ partition, timestamp: time })) })),
  }),
  fc.record({ type: fc.constantFrom('group-expired' as const, 'group-deleted' as const), groupId }),
  fc.record({ type: fc.constant('topic-deleted' as const), topicId }),
);

it('every event comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(event, (given) => {
      expect(decodeEvent(encodeEvent(given))).toEqual(given);
    }),
  );
});

it('a snapshot holds all that events made', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const state = groupsStateMachine.initial();
      for (const each of events) groupsStateMachine.apply(state, each);
      const snapshot = JSON.parse(JSON.stringify(groupsStateMachine.toSnapshot(state)));
      expect(groupsStateMachine.fromSnapshot(snapshot)).toEqual(state);
    }),
  );
});

it('a commit that is cut short or overwritten is refused, or taken for another, and nothing else happens', () => {
  fc.assert(
    fc.property(committed, fc.nat(), fc.nat({ max: 255 }), (given, at, value) => {
      const whole = encodeEvent(given);
      const torn = Buffer.from(whole);
      torn[1 + (at % (whole.length - 1))] = value;
      for (const damaged of [whole.subarray(0, 1 + (at % whole.length)), torn]) {
        try {
          decodeEvent(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
        }
      }
    }),
  );
});
