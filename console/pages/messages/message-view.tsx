import type { QueuedMessage } from '../../../src/protocols/http/shapes/queue-messages.ts';
import type { Payload as PayloadShape } from '../../../src/protocols/http/shapes/streams.ts';
import { count, exactTime } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Badge, Facts, JsonFacts, Panel } from '../../kit/facts.tsx';
import { previewOf, StoredPayload } from '../../kit/stored-payload.tsx';
import { url } from '../../location.ts';
import { exchangeWords, messageWords } from '../../words/queues.ts';

type Shown = Pick<QueuedMessage, 'id' | 'exchange' | 'routing_key' | 'properties' | 'payload' | 'published_at'> &
  Partial<Pick<QueuedMessage, 'state' | 'holder' | 'redelivered' | 'delivery_count'>>;

interface MessageViewProps {
  readonly message: Shown;
  /** Where it lies; undefined for one that is held back. */
  readonly queue?: string;
  /** Where the whole body is asked for, when it was cut. */
  readonly rawPath?: string | undefined;
}

/** A message with all that it has. */
export function MessageView({ message, queue, rawPath }: MessageViewProps) {
  const { exchange, routing_key: key, properties, payload, published_at: published, state, holder } = message;
  const { headers = {}, ...others } = properties;
  const { message_id: id } = properties;
  return (
    <>
      <Facts
        of={[
          [messageWords.published, exactTime(published)],
          [messageWords.exchange, exchange === '' ? exchangeWords.default : exchange],
          [messageWords.routingKey, <span class="mono">{key}</span>],
          [messageWords.state, state && <MessageState of={state} />],
          [messageWords.holder, holder ? <Holder of={holder} /> : undefined],
          [messageWords.redelivered, message.redelivered],
          [messageWords.trace, <TraceLink id={id} name={queue} messageKey={key} />],
          [messageWords.deliveries, message.delivery_count === undefined ? undefined : count(message.delivery_count)],
        ]}
      />
      <Panel title={messageWords.properties}>
        <JsonFacts value={others} />
      </Panel>
      <Panel title={messageWords.headers}>
        <JsonFacts value={headers} />
      </Panel>
      <Panel title={messageWords.body}>
        {payload && (
          <StoredPayload
            of={payload}
            label={messageWords.body}
            fileName={`message-${message.id}.bin`}
            whole={rawPath === undefined ? undefined : { path: rawPath, query: { raw: true } }}
          />
        )}
      </Panel>
    </>
  );
}

interface TraceLinkProps {
  readonly id?: unknown;
  /** A queue or a stream. */
  readonly name: string | undefined;
  readonly messageKey: string | undefined;
}

/** To the way of a message: by its id, else by its key and where it lies. */
export function TraceLink({ id, name, messageKey }: TraceLinkProps) {
  const found = typeof id === 'string' ? { message_id: id } : { destination: name, key: messageKey };
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries(found)) if (value) query.set(field, value);
  return <a href={`/traces?${query}`}>{messageWords.showTrace}</a>;
}

export function MessageState({ of }: { readonly of: QueuedMessage['state'] }) {
  return <Badge tone={of === 'ready' ? 'good' : 'warn'}>{messageWords[of]}</Badge>;
}

export function Holder({ of }: { readonly of: NonNullable<QueuedMessage['holder']> }) {
  const { connection, channel, consumer_tag: tag } = of;
  const name = `${connection} (${channel})`;
  return (
    <a href={url`/channels/${name}`} class="mono">
      {tag ?? name}
    </a>
  );
}

interface PreviewProps {
  readonly of: PayloadShape | null;
  onOpen(): void;
}

/** The beginning of a body in one line, which opens the message. */
export function Preview({ of, onOpen }: PreviewProps) {
  return (
    <Button kind="link" onClick={onOpen}>
      <span class="mono">
        <span class="unseen">{`${messageWords.show}: `}</span>
        {previewOf(of)}
      </span>
    </Button>
  );
}
