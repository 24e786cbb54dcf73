import { useState } from 'preact/hooks';
import type { DeadLetterMessage } from '../../src/protocols/http/shapes/dead-letters.ts';
import type { QueueShape } from '../../src/protocols/http/shapes/topology.ts';
import { usePoll } from '../api/poll.ts';
import { count, time } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Dialog, openDialog } from '../kit/dialog.tsx';
import { Badge, Figure, Figures, Panel } from '../kit/facts.tsx';
import { Select } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded } from '../kit/problem.tsx';
import type { Column } from '../kit/table.tsx';
import { url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { deadLetterWords, messageWords, queueWords } from '../words/queues.ts';
import { redrive } from './dead-letters/redrive-dialog.tsx';
import { reasonText, Trail } from './dead-letters/trail.tsx';
import { BrowseMessages } from './messages/browse-messages.tsx';
import { messageColumns } from './messages/columns.tsx';
import { MessageView } from './messages/message-view.tsx';

const REASONS = ['rejected', 'expired', 'maxlen', 'delivery_limit'] as const;

/** The dead letters of one queue: how each died, and the way back. */
export function DeadLetterQueue({ params: { vhost = '', queue: name = '' } }: PageParameters) {
  const poll = usePoll<QueueShape>(url`/queues/${vhost}/${name}`);
  const [reason, setReason] = useState('');
  const filter = reason === '' ? {} : { reason };
  const { data: queue } = poll;
  return (
    <Page
      title={name}
      within={[{ title: deadLetterWords.title, href: '/dead-letters' }]}
      notes={
        queue && (
          <>
            <Badge>{vhost}</Badge> <Badge tone="info">{queueWords[queue.type]}</Badge>
          </>
        )
      }
      actions={
        queue && (
          <>
            <a class="button" href={url`/queues/${vhost}/${name}`}>
              {queueWords.queue}
            </a>
            <Button kind="primary" onClick={() => redrive({ vhost, queue: name, filter })}>
              {reason === '' ? deadLetterWords.redriveAll : `${deadLetterWords.redriveAll}: ${reasonText(reason)}`}
            </Button>
          </>
        )
      }
    >
      <Loaded of={poll}>
        {({ messages, messages_unacknowledged: out, type }) => (
          <>
            <Figures>
              <Figure name={common.messages} value={count(messages)} />
              <Figure name={queueWords.unacknowledged} value={count(out)} />
            </Figures>
            {type === 'stream' && <p class="muted">{deadLetterWords.streamHint}</p>}
            <BrowseMessages<DeadLetterMessage>
              label={deadLetterWords.title}
              path={url`/dead-letters/${vhost}/${name}/messages`}
              query={filter}
              columns={columns(vhost, name)}
              empty={messageWords.none}
              tools={
                <Select
                  label={deadLetterWords.reason}
                  value={reason}
                  options={[
                    { value: '', label: deadLetterWords.anyReason },
                    ...REASONS.map((value) => ({ value: value as string, label: reasonText(value) })),
                  ]}
                  onChange={setReason}
                />
              }
              bulk={(letters, changed) => (
                <Button
                  kind="primary"
                  onClick={async () => {
                    if (await redrive({ vhost, queue: name, ids: letters.map(({ id }) => id) })) changed();
                  }}
                >
                  {deadLetterWords.redriveMany(letters.length, count(letters.length))}
                </Button>
              )}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function columns(vhost: string, queue: string): readonly Column<DeadLetterMessage>[] {
  const own = messageColumns<DeadLetterMessage>((letter) => openLetter(vhost, queue, letter));
  const [body, size, , key] = own;
  return [
    ...[body, size, key].filter((column) => column !== undefined),
    {
      ...{ id: 'reason', title: deadLetterWords.reason },
      cell: ({ deaths: [latest], origin }) =>
        latest === undefined ? origin?.message : <Badge tone="bad">{reasonText(latest.reason)}</Badge>,
    },
    {
      ...{ id: 'source', title: deadLetterWords.diedIn },
      cell: ({ deaths: [latest], origin }) =>
        latest === undefined ? (
          origin && <a href={url`/streams/${origin.topic}`}>{origin.topic}</a>
        ) : (
          <a href={url`/queues/${vhost}/${latest.queue}`}>{latest.queue}</a>
        ),
    },
    {
      ...{ id: 'times', title: deadLetterWords.times, align: 'end' },
      cell: ({ deaths }) => (deaths.length === 0 ? '' : count(deaths.reduce((sum, death) => sum + death.count, 0))),
    },
    { id: 'published', title: deadLetterWords.when, cell: ({ published_at: at }) => time(at) },
  ];
}

/** Opens a letter over the page, with the way back. */
function openLetter(vhost: string, queue: string, letter: DeadLetterMessage): void {
  void openDialog<void>((close) => (
    <Dialog title={messageWords.message} wide onClose={close}>
      <Panel
        title={deadLetterWords.trail}
        actions={
          <Button
            kind="primary"
            onClick={async () => {
              close();
              await redrive({ vhost, queue, ids: [letter.id] });
            }}
          >
            {deadLetterWords.redrive}
          </Button>
        }
      >
        <Trail vhost={vhost} of={letter} />
      </Panel>
      <MessageView message={letter} queue={queue} rawPath={url`/queues/${vhost}/${queue}/messages/${letter.id}`} />
    </Dialog>
  ));
}
