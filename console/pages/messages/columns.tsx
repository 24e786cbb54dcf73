import type { QueuedMessage } from '../../../src/protocols/http/shapes/queue-messages.ts';
import { bytes, exactTime } from '../../format/index.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { exchangeWords, messageWords } from '../../words/queues.ts';
import { Holder, MessageState, MessageView, Preview } from './message-view.tsx';

/** Of messages in a queue. `show` opens one. */
export function messageColumns<Message extends QueuedMessage>(
  show: (message: Message) => void,
): readonly Column<Message>[] {
  return [
    {
      ...{ id: 'body', title: messageWords.body },
      cell: (message) => <Preview of={message.payload} onOpen={() => show(message)} />,
    },
    { id: 'size', title: messageWords.size, align: 'end', cell: ({ payload }) => bytes(payload?.bytes ?? 0) },
    {
      ...{ id: 'exchange', title: messageWords.exchange },
      cell: ({ exchange }) => (exchange === '' ? exchangeWords.default : exchange),
    },
    { id: 'key', title: messageWords.routingKey, cell: ({ routing_key: key }) => <span class="mono">{key}</span> },
    { id: 'published', title: messageWords.published, cell: ({ published_at: at }) => exactTime(at) },
    {
      ...{ id: 'state', title: messageWords.state },
      cell: ({ state, holder }) => (
        <>
          <MessageState of={state} /> {holder && <Holder of={holder} />}
        </>
      ),
    },
  ];
}

/** Opens a message of a queue over the page. */
export function openMessage(host: string, queue: string, message: QueuedMessage): void {
  void openDialog<void>((close) => (
    <Dialog title={messageWords.message} wide onClose={close}>
      <MessageView message={message} queue={queue} rawPath={url`/queues/${host}/${queue}/messages/${message.id}`} />
    </Dialog>
  ));
}
