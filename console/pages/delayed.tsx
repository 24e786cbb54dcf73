import type { DelayedHost, DelayedMessage } from '../../src/protocols/http/shapes/delayed.ts';
import { api } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { bytes, count, exactTime, relative } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm, Dialog, openDialog } from '../kit/dialog.tsx';
import { Badge, Figure, Figures } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import type { Column } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { delayedWords, messageWords } from '../words/queues.ts';
import { ExchangeLink } from './exchanges/bindings.tsx';
import { BrowseMessages } from './messages/browse-messages.tsx';
import { MessageView, Preview } from './messages/message-view.tsx';

/** Messages that are held back until they are due. */
export function Delayed() {
  const vhost = virtualHost.value === '' ? '/' : virtualHost.value;
  const { data: hosts } = usePoll<readonly DelayedHost[]>('/delayed');
  const host = hosts?.find((each) => each.vhost === vhost);
  const next = host?.next_due_at ?? undefined;
  return (
    <Page title={delayedWords.title} notes={<Badge>{vhost}</Badge>}>
      <Figures>
        <Figure name={delayedWords.heldBack} value={count(host?.messages)} />
        <Figure name={delayedWords.nextDue} value={relative(next)} />
      </Figures>
      <BrowseMessages<DelayedMessage>
        label={delayedWords.title}
        path={url`/delayed/${vhost}`}
        columns={columns(vhost)}
        empty={delayedWords.none}
        bulk={(messages, changed) => (
          <>
            <Button
              onClick={async () => {
                await deliver(messages);
                changed();
              }}
            >
              {delayedWords.deliver}
            </Button>
            <Button
              kind="harm"
              onClick={async () => {
                if (await cancel(messages)) changed();
              }}
            >
              {delayedWords.cancel}
            </Button>
          </>
        )}
      />
    </Page>
  );
}

function columns(vhost: string): readonly Column<DelayedMessage>[] {
  return [
    {
      ...{ id: 'body', title: messageWords.body },
      cell: (message) => <Preview of={message.payload} onOpen={() => openDelayed(vhost, message)} />,
    },
    {
      id: 'due',
      title: delayedWords.due,
      cell: ({ due_at: due }) => <span title={exactTime(due)}>{relative(due)}</span>,
    },
    {
      ...{ id: 'exchange', title: messageWords.exchange },
      cell: ({ exchange }) => <ExchangeLink vhost={vhost} name={exchange} />,
    },
    { id: 'key', title: messageWords.routingKey, cell: ({ routing_key: key }) => <span class="mono">{key}</span> },
    { id: 'size', title: messageWords.size, align: 'end', cell: ({ payload }) => bytes(payload?.bytes ?? 0) },
    { id: 'published', title: messageWords.published, cell: ({ published_at: at }) => exactTime(at) },
  ];
}

async function openDelayed(vhost: string, { id }: DelayedMessage): Promise<void> {
  const message = await api.get<DelayedMessage>(url`/delayed/${vhost}/${id}`);
  await openDialog<void>((close) => (
    <Dialog title={messageWords.message} wide onClose={close}>
      <p class="dialog-text">
        {delayedWords.due}: {exactTime(message.due_at)}
      </p>
      <MessageView message={message} />
    </Dialog>
  ));
}

async function deliver(messages: readonly DelayedMessage[]): Promise<void> {
  for (const { vhost, id } of messages) await api.post(url`/delayed/${vhost}/${id}/deliver`, {});
  notify(delayedWords.delivered);
}

/** Asks first. */
async function cancel(messages: readonly DelayedMessage[]): Promise<boolean> {
  const { cancel: action, cancelText: text } = delayedWords;
  if (!(await confirm({ title: action, text, action }))) return false;
  for (const { vhost, id } of messages) await api.remove(url`/delayed/${vhost}/${id}`);
  notify(delayedWords.cancelled);
  return true;
}
