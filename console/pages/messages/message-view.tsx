import { useState } from 'preact/hooks';
import type { QueuedMessage } from '../../../src/protocols/http/shapes/queue-messages.ts';
import type { Payload as PayloadShape } from '../../../src/protocols/http/shapes/streams.ts';
import { request } from '../../api/client.ts';
import { bytes, count, exactTime } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Badge, Facts, JsonFacts, Panel } from '../../kit/facts.tsx';
import { bytesOfBase64, bytesOfText, Payload } from '../../kit/viewer.tsx';
import { url } from '../../location.ts';
import { viewerWords } from '../../words/common.ts';
import { exchangeWords, messageWords } from '../../words/queues.ts';

type Shown = Pick<QueuedMessage, 'id' | 'exchange' | 'routing_key' | 'properties' | 'payload' | 'published_at'> &
  Partial<Pick<QueuedMessage, 'state' | 'holder' | 'redelivered' | 'delivery_count'>>;

interface MessageViewProps {
  readonly message: Shown;
  /** Where the whole body is asked for, when it was cut. */
  readonly rawPath?: string | undefined;
}

/** A message with all that it has. */
export function MessageView({ message, rawPath }: MessageViewProps) {
  const { exchange, routing_key: key, properties, payload, published_at: published, state, holder } = message;
  const { headers = {}, ...others } = properties;
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
          [messageWords.deliveries, message.delivery_count === undefined ? undefined : count(message.delivery_count)],
        ]}
      />
      <Panel title={messageWords.properties}>
        <JsonFacts value={others} />
      </Panel>
      <Panel title={messageWords.headers}>
        <JsonFacts value={headers} />
      </Panel>
      <Panel title={messageWords.body}>{payload && <Body payload={payload} rawPath={rawPath} id={message.id} />}</Panel>
    </>
  );
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

interface BodyProps {
  readonly payload: PayloadShape;
  readonly rawPath: string | undefined;
  readonly id: string;
}

function Body({ payload, rawPath, id }: BodyProps) {
  const [whole, setWhole] = useState<Uint8Array<ArrayBuffer>>();
  const shown = whole ?? bytesOf(payload);
  return (
    <>
      <Payload bytes={shown} label={messageWords.body} fileName={`message-${id}.bin`} />
      {payload.truncated && whole === undefined && rawPath !== undefined && (
        <Button
          icon="download"
          onClick={async () => {
            const answer = await request('GET', rawPath, { query: { raw: true } });
            setWhole(new Uint8Array(await answer.arrayBuffer()));
          }}
        >
          {`${messageWords.wholeBody} (${bytes(payload.bytes)})`}
        </Button>
      )}
    </>
  );
}

export function bytesOf({ format, data }: PayloadShape): Uint8Array<ArrayBuffer> {
  return format === 'binary' ? bytesOfBase64(data) : bytesOfText(data);
}

interface PreviewProps {
  readonly of: PayloadShape | null;
  onOpen(): void;
}

const PREVIEW_CHARACTERS = 80;

/** The beginning of a body in one line, which opens the message. */
export function Preview({ of, onOpen }: PreviewProps) {
  const isText = of !== null && of.format !== 'binary';
  const text = isText ? of.data.slice(0, PREVIEW_CHARACTERS).replaceAll(/\s+/g, ' ') : bytes(of?.bytes ?? 0);
  return (
    <Button kind="link" onClick={onOpen}>
      <span class="mono">
        <span class="unseen">{`${messageWords.show}: `}</span>
        {text === '' ? viewerWords.empty : text}
      </span>
    </Button>
  );
}
