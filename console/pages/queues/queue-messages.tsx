import type { QueuedMessage } from '../../../src/protocols/http/shapes/queue-messages.ts';
import { api } from '../../api/client.ts';
import { toApiError } from '../../api/errors.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { confirm } from '../../kit/dialog.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { messageWords, transferWords } from '../../words/queues.ts';
import { BrowseMessages } from '../messages/browse-messages.tsx';
import { messageColumns, openMessage } from '../messages/columns.tsx';
import { moveMessages } from '../messages/move-dialog.tsx';

interface QueueMessagesProps {
  readonly vhost: string;
  readonly queue: string;
  /** Messages stay in it: nothing is moved or deleted. */
  readonly isStream: boolean;
}

/** Messages of a queue where they lie; some of them are moved or deleted. */
export function QueueMessages({ vhost, queue, isStream }: QueueMessagesProps) {
  return (
    <>
      <p class="muted">{messageWords.peekHint}</p>
      <BrowseMessages<QueuedMessage>
        label={messageWords.messages}
        path={url`/queues/${vhost}/${queue}/messages`}
        columns={messageColumns((message) => openMessage(vhost, queue, message))}
        empty={messageWords.none}
        {...(!isStream && {
          bulk: (messages: readonly QueuedMessage[], changed: () => void) => (
            <>
              <Button
                onClick={async () => {
                  if (await moveMessages({ vhost, queue, ids: messages.map(({ id }) => id) })) changed();
                }}
              >
                {transferWords.moveMany(messages.length, count(messages.length))}
              </Button>
              <Button
                kind="harm"
                icon="trash"
                onClick={async () => {
                  if (await deleteMessages(vhost, queue, messages)) changed();
                }}
              >
                {messageWords.deleteMany(messages.length, count(messages.length))}
              </Button>
            </>
          ),
        })}
      />
    </>
  );
}

/** Asks first. Those that went by themselves meanwhile are no error. */
async function deleteMessages(vhost: string, queue: string, messages: readonly QueuedMessage[]): Promise<boolean> {
  const many = count(messages.length);
  const title = messageWords.deleteMany(messages.length, many);
  if (!(await confirm({ title, text: messageWords.deleteText, action: messageWords.delete }))) return false;
  let deleted = 0;
  for (const { id } of messages) {
    try {
      await api.remove(url`/queues/${vhost}/${queue}/messages/${id}`);
      deleted++;
    } catch (error) {
      if (toApiError(error).failure !== 'not-found') throw error;
    }
  }
  notify(messageWords.deleted(deleted, count(deleted)));
  return true;
}
