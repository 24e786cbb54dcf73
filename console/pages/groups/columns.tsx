import type { GroupSummary } from '../../../src/protocols/http/shapes/groups.ts';
import { count } from '../../format/index.ts';
import { Badge, type Tone } from '../../kit/facts.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { consumerGroupWords } from '../../words/groups.ts';

export function groupColumns(): Column<GroupSummary>[] {
  return [
    {
      id: 'name',
      title: common.name,
      sort: 'name',
      cell: ({ name }) => <a href={url`/groups/${name}`}>{name}</a>,
    },
    { id: 'state', title: common.state, sort: 'state', cell: ({ state }) => <GroupState of={state} /> },
    { id: 'type', title: common.type, sort: 'type', cell: ({ type }) => consumerGroupWords[type] },
    {
      id: 'members',
      title: consumerGroupWords.members,
      sort: 'members',
      align: 'end',
      cell: ({ members }) => count(members),
    },
    {
      id: 'streams',
      title: consumerGroupWords.streams,
      sort: 'streams',
      align: 'end',
      cell: ({ streams }) => count(streams),
    },
    { id: 'lag', title: consumerGroupWords.lag, sort: 'lag', align: 'end', cell: ({ lag }) => count(lag) },
  ];
}

const TONES: Readonly<Record<string, Tone>> = { Stable: 'good', Empty: 'plain', Dead: 'bad' };

/** As Kafka's tools name it. */
export function GroupState({ of }: { readonly of: string }) {
  return <Badge tone={TONES[of] ?? 'warn'}>{of}</Badge>;
}
