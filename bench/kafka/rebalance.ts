import { describeGroup, findTopic } from '../../src/client/index.ts';
import { offsetFetch } from '../../src/protocols/kafka/codec/apis/offset-fetch.ts';
import type { Figure, Stages } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { whileProgressing } from '../progress.ts';
import { type Stage, stage } from '../stage.ts';
import { ClassicMember } from './classic-member.ts';
import { ConsumerMember } from './consumer-member.ts';
import { awaitCoordinator, whileComing } from './coordinator.ts';
import type { GroupMember, GroupMemberOptions } from './group-member.ts';
import { Owners } from './owners.ts';
import { Session } from './session.ts';

export interface RebalanceWork {
  readonly members: number;
  readonly partitions: number;
  readonly protocol: 'classic' | 'consumer';
  readonly heartbeatMs: number;
}

const GROUP_ID = 'bench';
/** The last version of OffsetFetch that names topics. */
const NAMED_VERSION = 9;

/** How long it takes until every partition has its owner: after all members start, one more joins, and one leaves. */
export function kafkaRebalance(peer: Peer, directory: string, work: RebalanceWork): Promise<Stages> {
  const { members: count, partitions, protocol, heartbeatMs } = work;
  const shape = { partitions, connections: count, recordBytes: 0, batchBytes: 0, compression: 'none' } as const;
  return Session.use(peer, directory, shape, async (session) => {
    const { run } = session;
    await mustCoordinate(session);
    const { id: topicId } = await session.withClient((client) => findTopic(client, session.common.topic));
    const owners = new Owners<GroupMember>(partitions);
    const options = { ...session.common, topicId, partitions, groupId: GROUP_ID, heartbeatMs, owners };
    const members = await run.open(Array.from({ length: count + 1 }), async () => member(protocol, options));
    const [oldest, ...others] = members;
    const newcomer = others.at(-1);
    if (oldest === undefined || newcomer === undefined) throw new Error('a group has members');

    /** Measures what happens until these members have all partitions. */
    const shared = async (there: readonly GroupMember[], change: () => Promise<void> | void): Promise<Stage> => {
      const done = await stage(run.broker, 1, async () => {
        const changed = Promise.all([change(), owners.shared(there.length)]);
        await run.orFailed(whileProgressing('changes of owners', () => owners.changes, changed));
      });
      await expectAssigned(session, there, owners);
      return done;
    };
    const started = await shared(members.slice(0, -1), () => {
      for (const each of members) if (each !== newcomer) each.start();
    });
    const joined = await shared(members, () => newcomer.start());
    const left = await shared(others, () => oldest.leave());
    return {
      bench: `kafka-rebalance ${protocol}`,
      broker: peer.name,
      figures: [
        ...figures('all started', started),
        ...figures('one joined', joined),
        ...figures('one left', left),
        { name: 'client busy, %', value: started.clientCpuShare * 100 },
      ],
    };
  });
}

function member(protocol: RebalanceWork['protocol'], options: GroupMemberOptions): GroupMember {
  return protocol === 'classic' ? new ClassicMember(options) : new ConsumerMember(options);
}

function figures(what: string, { seconds, cpuMicroseconds }: Stage): Figure[] {
  return [
    { name: `${what}: all assigned after, ms`, value: seconds * 1000 },
    { name: `${what}: broker CPU, ms`, value: cpuMicroseconds && cpuMicroseconds / 1000 },
  ];
}

/** Waits until the broker coordinates the group, for which it may have to make its log of offsets. */
async function mustCoordinate(session: Session): Promise<void> {
  await session.withClient(async (client) => {
    await awaitCoordinator(client, 'group', GROUP_ID);
    await whileComing('OffsetFetch', async () => {
      const asked = { groups: [{ groupId: GROUP_ID, topics: null }] };
      const { groups } = await client.request(offsetFetch, asked, { maxVersion: NAMED_VERSION });
      return { errorCode: groups[0]?.errorCode ?? 0 };
    });
  });
}

/** The broker must say of each member what the member has been told. */
async function expectAssigned(
  session: Session,
  members: readonly GroupMember[],
  owners: Owners<GroupMember>,
): Promise<void> {
  const group = await session.withClient((client) => describeGroup(client, GROUP_ID));
  const toText = (partitions: readonly number[]) => [...partitions].sort((a, b) => a - b).join(' ');
  const found = new Map(
    group.members.map(({ id, assignment }) => [id, toText(assignment.flatMap(({ partitions }) => partitions))]),
  );
  if (found.size !== members.length) throw new Error(`the group has ${found.size} members, not ${members.length}`);
  for (const each of members) {
    const own = toText(owners.partitionsOf(each));
    if (found.get(each.id) !== own)
      throw new Error(`member ${each.id} has partitions ${own}; the broker says ${found.get(each.id)}`);
  }
}
