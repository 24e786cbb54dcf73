import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { CodecError } from './codec-error.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';

const require = createRequire(import.meta.url);
const { MemberMetadata, MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol');

describe('the consumer protocol', () => {
  it('comes back as it was in every version, with defaults for what the version lacks', () => {
    const subscription = {
      topics: ['a', 'b'],
      userData: Buffer.from('u'),
      ownedPartitions: [{ topic: 'a', partitions: [0, 2] }],
      generationId: 5,
      rackId: 'r',
    };
    expect(decodeSubscription(encodeSubscription(subscription, 3))).toEqual(subscription);
    expect(decodeSubscription(encodeSubscription(subscription, 0))).toEqual({
      ...subscription,
      ownedPartitions: [],
      generationId: -1,
      rackId: null,
    });
    const assignment = { assignedPartitions: [{ topic: 'a', partitions: [1] }], userData: null };
    for (const version of [0, 1, 2, 3]) {
      expect(decodeAssignment(encodeAssignment(assignment, version))).toEqual(assignment);
    }
  });

  it('is what kafkajs speaks', () => {
    const metadata = MemberMetadata.encode({ version: 0, topics: ['a'], userData: Buffer.alloc(0) });
    expect(decodeSubscription(metadata).topics).toEqual(['a']);
    const assigned = MemberAssignment.encode({ version: 0, assignment: { a: [0, 1] }, userData: Buffer.alloc(0) });
    const expected = [{ topic: 'a', partitions: [0, 1] }];
    expect(decodeAssignment(assigned).assignedPartitions).toEqual(expected);
    const ours = encodeAssignment({ assignedPartitions: expected, userData: Buffer.alloc(0) }, 0);
    expect(ours.toString('hex')).toBe(assigned.toString('hex'));
  });

  it('takes a later version for the last one that is known', () => {
    const bytes = Buffer.concat([encodeSubscription({ topics: ['a'] }, 3), Buffer.from('added later')]);
    bytes.writeInt16BE(7, 0);
    expect(decodeSubscription(bytes).topics).toEqual(['a']);
  });

  it('refuses what is not it', () => {
    for (const hex of ['', '00', 'ffff00000000', '0000', '00007fffffff']) {
      expect(() => decodeSubscription(Buffer.from(hex, 'hex'))).toThrow(CodecError);
    }
    expect(() => encodeSubscription({ topics: [] }, 4)).toThrow(CodecError);
  });
});
