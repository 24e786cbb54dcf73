import { expect, it } from 'vitest';
import { encodeSubscription } from './codec/consumer-protocol.ts';
import { embeddedProtocol } from './embedded-protocol.ts';

const topics = ['a', 'b'];
const owned = [{ topic: 'a', partitions: [0, 2] }];

it('a subscription is read in every version, also in one that is yet to come', () => {
  const first = encodeSubscription({ topics }, 0);
  expect(embeddedProtocol.subscription(first)).toEqual({ version: 0, topics, owned: [], rackId: null });
  const last = encodeSubscription({ topics, ownedPartitions: owned, rackId: 'r' }, 3);
  expect(embeddedProtocol.subscription(last)).toEqual({ version: 3, topics, owned, rackId: 'r' });
  last.writeInt16BE(4, 0);
  expect(embeddedProtocol.subscription(last)).toMatchObject({ version: 3, topics, owned });
});

it('one that lacks what its version has more than the first is read as the first', () => {
  const short = encodeSubscription({ topics }, 0);
  short.writeInt16BE(1, 0);
  expect(embeddedProtocol.subscription(short)).toEqual({ version: 1, topics, owned: [], rackId: null });
});

it.each(['', '00', 'ffff', '0001', '00000000000100'])('what is none, such as "%s", is not understood', (hex) => {
  expect(embeddedProtocol.subscription(Buffer.from(hex, 'hex'))).toBe(null);
  expect(embeddedProtocol.assignment(Buffer.from(hex, 'hex'))).toBe(null);
});

it('an assignment is read as it was written', () => {
  for (let version = 0; version <= 3; version++)
    expect(embeddedProtocol.assignment(embeddedProtocol.encodeAssignment(owned, version))).toEqual(owned);
});
