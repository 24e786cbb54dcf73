import { describe, expect, it, onTestFinished } from 'vitest';
import { consumerGroupDescribe } from '../../src/protocols/kafka/codec/apis/consumer-group-describe.ts';
import { listGroups } from '../../src/protocols/kafka/codec/apis/list-groups.ts';
import { startBroker, until } from './fixture.ts';
import { clients, createTopic, joinByPlatformatic, type Member, send, valuesOf } from './group-members.ts';
import { ask, RawClient } from './raw-client.ts';

describe.each(clients)('a group of %s', { timeout: 60_000 }, (_, joinByClassic) => {
  it('goes over to the protocol of KIP-848 with @platformatic/kafka, member by member, and back, and misses nothing', async () => {
    const { address } = await startBroker({
      settings: { groups: { consumerHeartbeatIntervalMs: 50, initialRebalanceDelayMs: 0 } },
    });
    await createTopic(address);
    const raw = await RawClient.connect(Number(address.split(':')[1]));
    onTestFinished(() => raw.destroy());
    const all: Member[] = [];
    const joined = async (protocol: 'classic' | 'consumer') => {
      const member =
        protocol === 'classic'
          ? await joinByClassic(address, 'team')
          : await joinByPlatformatic(address, 'team', protocol);
      all.push(member);
      return member;
    };
    const kind = async () => (await ask(raw, listGroups, 5, {})).groups.map((group) => group.groupType);
    const memberTypes = async () => {
      const request = { groupIds: ['team'], includeAuthorizedOperations: false };
      const { groups } = await ask(raw, consumerGroupDescribe, 1, request);
      return groups[0]?.groupState === 'Stable' ? groups[0].members.map(({ memberType }) => memberType).sort() : [];
    };
    /** Each member that is there gets something, and nothing is missed. */
    const works = async (name: string, ...members: Member[]) => {
      for (let i = 0; ; i++) {
        const before = members.map(({ got }) => got.length);
        const sent = await send(address, `${name}-${i}`, 60);
        await until(() => sent.every((value) => valuesOf(...all).includes(value)));
        if (members.every(({ got }, j) => got.length > (before[j] ?? 0))) return;
      }
    };
    const first = await joined('classic');
    const second = await joined('classic');
    await works('classic', first, second);
    expect(await kind()).toEqual(['Classic']);

    const third = await joined('consumer');
    await works('three', first, second, third);
    await until(async () => (await memberTypes()).join() === '0,0,1');
    await first.leave();
    const fourth = await joined('consumer');
    await second.leave();
    await works('new', third, fourth);
    expect([await kind(), await memberTypes()]).toEqual([['Consumer'], [1, 1]]);

    const fifth = await joined('classic');
    await works('three again', third, fourth, fifth);
    await third.leave();
    const sixth = await joined('classic');
    await fourth.leave();
    await works('classic again', fifth, sixth);
    expect(await kind()).toEqual(['Classic']);
    await fifth.leave();
    await sixth.leave();
  });
});
