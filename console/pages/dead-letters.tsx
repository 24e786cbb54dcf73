import type { DeadLetterQueue } from '../../src/protocols/http/shapes/dead-letters.ts';
import { count, relative, time } from '../format/index.ts';
import { Badge } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { common } from '../words/common.ts';
import { deadLetterWords, queueWords } from '../words/queues.ts';
import { reasonText } from './dead-letters/trail.tsx';

/** Queues and streams that hold dead letters, or get some. */
export function DeadLetters() {
  const host = virtualHost.value;
  return (
    <Page title={deadLetterWords.title}>
      <ServerTable<DeadLetterQueue>
        label={deadLetterWords.title}
        name="dead-letters"
        path={host === '' ? '/dead-letters' : url`/dead-letters/${host}`}
        columns={columns()}
        rowKey={({ vhost, name }) => `${vhost} ${name}`}
        empty={<Notice icon="deadLetter" title={deadLetterWords.none} />}
      />
    </Page>
  );
}

function columns(): readonly Column<DeadLetterQueue>[] {
  return [
    {
      ...{ id: 'name', title: common.name, sort: 'name' },
      cell: ({ name, vhost }) => <a href={url`/dead-letters/${vhost}/${name}`}>{name}</a>,
    },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
    { id: 'type', title: common.type, sort: 'type', cell: ({ type }) => queueWords[type] },
    {
      ...{ id: 'messages', title: common.messages, sort: 'messages', align: 'end' },
      cell: ({ messages }) => count(messages),
    },
    {
      ...{ id: 'redriven', title: deadLetterWords.redriven, align: 'end', hidden: true },
      cell: ({ redriven }) => count(redriven),
    },
    {
      ...{ id: 'oldest', title: deadLetterWords.oldest },
      cell: ({ oldest }) => oldest !== null && <span title={time(oldest)}>{relative(oldest)}</span>,
    },
    {
      ...{ id: 'reasons', title: deadLetterWords.reasons },
      cell: ({ reasons, sampled, messages }) => (
        <Counts of={reasons} text={reasonText} sampled={sampled < messages ? sampled : undefined} />
      ),
    },
    { id: 'sources', title: deadLetterWords.sources, cell: ({ sources }) => <Counts of={sources} text={String} /> },
    {
      ...{ id: 'gets', title: deadLetterWords.gets, sort: 'dead_letters_of_count' },
      cell: ({ dead_letters_of: names, dead_letters_of_count: many }) => (
        <span title={names.join(', ')}>
          {names.slice(0, 2).join(', ')}
          {many > 2 && ` … (${count(many)})`}
        </span>
      ),
    },
  ];
}

interface CountsProps {
  readonly of: Readonly<Record<string, number>>;
  readonly text: (name: string) => string;
  readonly sampled?: number | undefined;
}

const SHOWN = 3;

function Counts({ of, text, sampled }: CountsProps) {
  const most = Object.entries(of).sort(([, one], [, other]) => other - one);
  return (
    <span class="badges">
      {most.slice(0, SHOWN).map(([name, many]) => (
        <Badge key={name}>{`${text(name)} ${count(many)}`}</Badge>
      ))}
      {sampled !== undefined && <span class="muted">{deadLetterWords.sampled(count(sampled))}</span>}
    </span>
  );
}
