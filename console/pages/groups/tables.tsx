import type { GroupMember, GroupOffset } from '../../../src/protocols/http/shapes/groups.ts';
import { count, relative } from '../../format/index.ts';
import { Notice } from '../../kit/problem.tsx';
import { ServerTable } from '../../kit/server-table.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { consumerGroupWords } from '../../words/groups.ts';

export function Offsets({ group, share }: { readonly group: string; readonly share: boolean }) {
  return (
    <ServerTable<GroupOffset>
      label={consumerGroupWords.offsets}
      name={share ? 'share-group-offsets' : 'group-offsets'}
      prefix="offsets-"
      path={url`/groups/${group}/offsets`}
      columns={offsetColumns(share)}
      rowKey={({ stream, partition }) => `${stream} ${partition}`}
      empty={<Notice title={consumerGroupWords.noOffsets} />}
    />
  );
}

function offsetColumns(share: boolean): Column<GroupOffset>[] {
  const columns: Column<GroupOffset>[] = [
    {
      id: 'stream',
      title: consumerGroupWords.stream,
      sort: 'stream',
      cell: ({ stream }) => <a href={url`/streams/${stream}`}>{stream}</a>,
    },
    {
      id: 'partition',
      title: consumerGroupWords.partition,
      sort: 'partition',
      align: 'end',
      cell: ({ partition }) => count(partition),
    },
    {
      id: 'offset',
      title: consumerGroupWords.offset,
      sort: 'offset',
      align: 'end',
      cell: ({ offset }) => (offset < 0 ? '' : count(offset)),
    },
    {
      id: 'end',
      title: consumerGroupWords.end,
      sort: 'end_offset',
      align: 'end',
      cell: ({ end_offset: end }) => count(end),
    },
    { id: 'lag', title: consumerGroupWords.lag, sort: 'lag', align: 'end', cell: ({ lag }) => count(lag) },
  ];
  if (share)
    return [
      ...columns,
      {
        id: 'acquired',
        title: consumerGroupWords.acquired,
        align: 'end',
        cell: ({ delivery }) => count(delivery?.acquired ?? 0),
      },
      {
        id: 'returned',
        title: consumerGroupWords.returned,
        align: 'end',
        cell: ({ delivery }) => count(delivery?.returned ?? 0),
      },
    ];
  return [
    ...columns,
    {
      id: 'committed',
      title: consumerGroupWords.committed,
      sort: 'committed_at',
      cell: ({ committed_at: at }) => (at === null ? '' : relative(at)),
    },
    {
      id: 'member',
      title: consumerGroupWords.memberId,
      sort: 'member_id',
      cell: ({ member_id: member }) => <span class="mono">{member}</span>,
    },
    { id: 'metadata', title: consumerGroupWords.metadata, cell: ({ metadata }) => metadata, hidden: true },
  ];
}

export function Members({ group }: { readonly group: string }) {
  return (
    <ServerTable<GroupMember>
      label={consumerGroupWords.members}
      name="group-members"
      prefix="members-"
      path={url`/groups/${group}/members`}
      columns={memberColumns()}
      rowKey={({ member_id: id }) => id}
      empty={<Notice icon="group" title={consumerGroupWords.noMembers} />}
    />
  );
}

function memberColumns(): Column<GroupMember>[] {
  return [
    { id: 'client', title: consumerGroupWords.client, sort: 'client_id', cell: ({ client_id: client }) => client },
    { id: 'host', title: consumerGroupWords.host, sort: 'host', cell: ({ host }) => host },
    {
      id: 'assignment',
      title: consumerGroupWords.assignment,
      cell: ({ assignment }) =>
        assignment === null
          ? consumerGroupWords.notUnderstood
          : assignment.map(({ stream, partitions }) => `${stream} (${partitions.join(', ')})`).join(', '),
    },
    {
      id: 'subscription',
      title: consumerGroupWords.subscription,
      cell: ({ subscription }) => subscription.join(', '),
    },
    {
      id: 'instance',
      title: consumerGroupWords.instance,
      sort: 'instance_id',
      cell: ({ instance_id: id }) => id ?? '',
    },
    {
      id: 'member',
      title: consumerGroupWords.memberId,
      sort: 'member_id',
      cell: ({ member_id: id }) => <span class="mono">{id}</span>,
    },
    { id: 'protocol', title: consumerGroupWords.protocol, cell: (member) => member.protocol, hidden: true },
  ];
}
