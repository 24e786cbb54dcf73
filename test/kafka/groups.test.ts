import { describe, expect, it } from 'vitest';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';
import { clients, createTopic, joinByKafkajs, send, TOPIC, valuesOf } from './group-members.ts';

/** Waits until the group has so many members, and no rebalance is under way. */
async function settled(address: string, groupId: string, members: number): Promise<void> {
  const admin = kafkajs(address).admin();
  await until(async () => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.state === 'Stable' && groups[0].members.length === members;
  });
  await admin.disconnect();
}

async function committed(address: string, groupId: string): Promise<number> {
  const admin = kafkajs(address).admin();
  const [topic] = await admin.fetchOffsets({ groupId, topics: [TOPIC] });
  await admin.disconnect();
  return (topic?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

describe.each(clients)('a group of %s', (_name, join) => {
  it('shares the partitions among its members, as they come and go, and misses nothing', async () => {
    const { address } = await startBroker();
    await createTopic(address);
    const first = await join(address, 'team');
    await settled(address, 'team', 1);
    const alone = await send(address, 'alone', 60);
    await until(() => new Set(valuesOf(first)).size === 60);
    expect(new Set(valuesOf(first))).toEqual(new Set(alone));

    const second = await join(address, 'team');
    const third = await join(address, 'team');
    await settled(address, 'team', 3);
    const before = [first, second, third].map(({ got }) => got.length);
    const shared = await send(address, 'shared', 60);
    await until(() => shared.every((value) => valuesOf(first, second, third).includes(value)));
    // Each of the three works, on partitions of its own.
    const owners = [first, second, third].map(
      ({ got }, i) => new Set(got.slice(before[i]).map(({ partition }) => partition)),
    );
    for (const owned of owners) expect(owned.size).toBeGreaterThan(0);

    await second.leave();
    await first.leave();
    await settled(address, 'team', 1);
    const left = await send(address, 'left', 60);
    await until(() => left.every((value) => valuesOf(third).includes(value)));
    await third.leave();
    expect(new Set(valuesOf(first, second, third))).toEqual(new Set([...alone, ...shared, ...left]));
  });

  it('goes on where it had committed when it comes back, also after the broker was started again', async () => {
    const directory = await temporaryDirectory();
    const { address, close } = await startBroker({ storage: 'disk', directory });
    await createTopic(address);
    const first = await join(address, 'team');
    await send(address, 'before', 30);
    await until(() => new Set(valuesOf(first)).size === 30);
    await first.leave();
    await until(async () => (await committed(address, 'team')) === 30);
    await close();

    const again = await startBroker({ storage: 'disk', directory });
    const after = await send(again.address, 'after', 30);
    const second = await join(again.address, 'team');
    await until(() => after.every((value) => valuesOf(second).includes(value)));
    expect(new Set(valuesOf(second))).toEqual(new Set(after));
    await second.leave();
  });
});

it('members go on in their generation when the broker is started again under them', async () => {
  const directory = await temporaryDirectory();
  const started = await startBroker({ storage: 'disk', directory });
  const { address } = started;
  const listeners = [`kafka://${address}`];
  await createTopic(address);
  const member = await joinByKafkajs(address, 'team');
  await settled(address, 'team', 1);
  await started.close();
  await startBroker({ storage: 'disk', directory, listeners });
  await settled(address, 'team', 1);
  const values = await send(address, 'after', 12);
  await until(() => values.every((value) => valuesOf(member).includes(value)));
  await member.leave();
});
