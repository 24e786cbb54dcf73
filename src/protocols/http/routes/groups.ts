import { z } from 'zod';
import type { ClientAccess, GroupListing } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { notFound } from '../errors.ts';
import { type GroupPosition, positionsOf } from '../group-lag.ts';
import { detailsOf, ownersIn, viewOf } from '../group-members.ts';
import type { Listed, Shown } from '../listing.ts';
import { type Call, DONE, found, get, getList, post, type Route, remove } from '../route.ts';
import type { GroupDetails, GroupMember, GroupOffset, GroupSummary } from '../shapes/groups.ts';
import { demand, mayCluster, streamOf } from '../stream-access.ts';

/** Offsets committed by one request. */
const MAX_COMMITTED = 10_000;

const commits = z.object({
  offsets: z
    .array(
      z.object({
        stream: z.string(),
        partition: z.int().min(0),
        /** Where the group goes on: the one after the last record that was dealt with. */
        offset: z.int().min(0),
        metadata: z.string().optional(),
      }),
    )
    .min(1)
    .max(MAX_COMMITTED),
});

export const groupRoutes: readonly Route[] = [
  getList('/groups', { access: 'user', summary: 'Groups of consumers; `types` and `states` by commas' }, (call) => {
    const all = mayCluster(call, 'describe');
    const { access } = call;
    const groups = call.broker.groups.list({ states: wordsIn(call, 'states'), types: wordsIn(call, 'types') });
    return listed(
      call,
      groups.filter(({ groupId }) => all || access.may('describe', 'group', groupId)),
    );
  }),
  get('/groups/:group', { access: 'user', summary: 'One group' }, (call) => {
    const listing = groupOf(call);
    const view = found(viewOf(call.broker, listing.groupId));
    return { ...summaryOf(call, listing), ...detailsOf(view) } satisfies GroupDetails;
  }),
  remove('/groups/:group', { access: 'user', summary: 'Deletes a group that has no members' }, async (call) => {
    const group = call.param('group');
    demand(call, 'delete', 'group', group);
    const [result] = await call.broker.groups.coordinatorOf(group).deleteGroups([group]);
    const code = result?.error;
    if (code === 'not-found') throw notFound();
    if (code === 'group-not-empty') throw new BrokerError(code, `group '${group}' has members: stop them first`);
    if (code != null) throw new BrokerError(code, `group '${group}' was not deleted`);
    return DONE;
  }),
  getList('/groups/:group/members', { access: 'user', summary: 'Members of a group' }, (call) => {
    const view = found(viewOf(call.broker, groupOf(call).groupId));
    const { access } = call;
    const items = view.members.map((member) => visible(access, member));
    return { items, basics: named, show: named, order: ['member_id'], paged: true };
  }),
  getList(
    '/groups/:group/offsets',
    { access: 'user', summary: 'Where a group stands, and what it lags behind' },
    (call) => listedOffsets(call, groupOf(call).groupId),
  ),
  post(
    '/groups/:group/offsets',
    { access: 'user', summary: 'Commits offsets for a group without members' },
    commits,
    async (call, { offsets }) => {
      await commit(call, call.param('group'), offsets);
      return DONE;
    },
  ),
  remove(
    '/groups/:group/offsets/:stream',
    { access: 'user', summary: 'Forgets where a group stands in a stream that it does not consume now' },
    forget,
  ),
  getList('/streams/:stream/groups', { access: 'user', summary: 'Groups that have offsets of a stream' }, (call) => {
    const { id } = streamOf(call, 'describe');
    const { access, broker } = call;
    const { groups, shareGroups } = broker;
    const having = groups
      .list()
      .filter(({ groupId, type }) =>
        type === 'share'
          ? shareGroups.offsets(groupId).some(({ streamId }) => streamId === id)
          : groups.committed(groupId)?.has(id),
      );
    return listed(
      call,
      having.filter(({ groupId }) => access.may('describe', 'group', groupId)),
    );
  }),
];

function wordsIn(call: Call, name: string): readonly string[] {
  return (call.query(name) ?? '').split(',').filter((word) => word !== '');
}

/** The group of the path. Throws 401, 404. */
export function groupOf(call: Call): GroupListing {
  const group = call.param('group');
  demand(call, 'describe', 'group', group);
  const listing = call.broker.groups.get(group);
  if (listing === undefined) throw notFound();
  return listing;
}

export interface NewOffset {
  readonly stream: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata?: string | undefined;
}

/** As a consumer that assigns partitions itself. Rejects with `unknown-member` while the group has members. */
export async function commit(call: Call, group: string, offsets: readonly NewOffset[]): Promise<void> {
  const { streams, groups } = call.broker;
  demand(call, 'read', 'group', group);
  const topics = Array.from(
    Map.groupBy(offsets, ({ stream }) => stream),
    ([name, each]) => {
      demand(call, 'read', 'topic', name);
      const stream = streams.get(name);
      if (stream === undefined) throw new BrokerError('not-found', `there is no stream '${name}'`);
      const partitions = each.map(({ partition, offset, metadata }) => {
        if (stream.partitions[partition] === undefined)
          throw new BrokerError('not-found', `stream '${name}' has no partition ${partition}`);
        return { partition, offset, leaderEpoch: -1, metadata: metadata ?? null };
      });
      return { topic: name, topicId: stream.id, partitions };
    },
  );
  const results = await groups.coordinatorOf(group).commitOffsets({
    ...{ groupId: group, generation: -1, memberId: '', groupInstanceId: null, topics },
  });
  const failed = results.flatMap(({ partitions }) => partitions).find(({ error }) => error !== null)?.error;
  if (failed != null) throw new BrokerError(failed, `offsets of group '${group}' were not committed`);
}

function listed(call: Call, items: readonly GroupListing[]): Listed<GroupListing> {
  return {
    items,
    basics: ({ groupId, type, state, protocolType }) => ({ name: groupId, type, state, protocol_type: protocolType }),
    show: (listing) => ({ ...summaryOf(call, listing) }),
    order: ['name'],
    paged: true,
  };
}

function summaryOf(call: Call, { groupId, type, state, protocolType }: GroupListing): GroupSummary {
  let lag = 0;
  const { access } = call;
  const streams = new Set<string>();
  for (const position of positionsOf(call.broker, groupId)) {
    if (!access.may('describe', 'topic', position.stream.name)) continue;
    streams.add(position.stream.name);
    lag += position.lag;
  }
  const members = viewOf(call.broker, groupId)?.members.length ?? 0;
  return { name: groupId, type, state, protocol_type: protocolType, members, streams: streams.size, lag };
}

/** Streams that the user may not know of are left out. */
function visible(access: ClientAccess, member: GroupMember): GroupMember {
  const may = (stream: string) => access.may('describe', 'topic', stream);
  const assignment = member.assignment?.filter(({ stream }) => may(stream)) ?? null;
  return { ...member, subscription: member.subscription.filter(may), assignment };
}

function named(member: GroupMember): Shown {
  return { ...member, name: member.client_id };
}

function listedOffsets(call: Call, group: string): Listed<GroupPosition> {
  const { access } = call;
  const owners = ownersIn(viewOf(call.broker, group));
  const items = [...positionsOf(call.broker, group)].filter(({ stream }) =>
    access.may('describe', 'topic', stream.name),
  );
  const show = (position: GroupPosition): Shown => ({ ...offsetOf(position, owners), name: position.stream.name });
  return { items, basics: show, show, order: ['stream', 'partition'], paged: true };
}

function offsetOf(position: GroupPosition, owners: ReadonlyMap<string, string>): GroupOffset {
  const { stream, partition, offset, lag, metadata, committedAt, delivery } = position;
  return {
    ...{ stream: stream.name, partition: partition.index, offset, lag, metadata, committed_at: committedAt, delivery },
    start_offset: partition.log.startOffset,
    end_offset: partition.log.highWatermark,
    member_id: owners.get(`${stream.name}/${partition.index}`) ?? null,
  };
}

async function forget(call: Call) {
  const { streams, groups, shareGroups } = call.broker;
  const [group, name] = [call.param('group'), call.param('stream')];
  demand(call, 'delete', 'group', group);
  demand(call, 'read', 'topic', name);
  const { id, partitions } = found(streams.get(name));
  const coordinator = groups.coordinatorOf(group);
  if (coordinator.share.has(group)) {
    await coordinator.share.whileEmpty(group, () => shareGroups.deleteOffsets(group, [id]));
    return DONE;
  }
  const topics = [{ topic: name, topicId: id, partitions: [...partitions.keys()] }];
  const [result] = await coordinator.deleteOffsets({ groupId: group, topics });
  const error = result?.partitions.find((each) => each.error !== null)?.error;
  if (error != null) throw new BrokerError(error, `group '${group}' consumes stream '${name}' now`);
  return DONE;
}
