import type { ShownRecord } from '../../../src/protocols/http/shapes/streams.ts';
import { bytes, count, exactTime, time } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Badge, Facts, JsonFacts, Panel } from '../../kit/facts.tsx';
import { previewOf, StoredPayload } from '../../kit/stored-payload.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { messageWords } from '../../words/queues.ts';
import { recordWords, streamWords } from '../../words/streams.ts';
import { TraceLink } from '../messages/message-view.tsx';

export function recordColumns(stream: string): Column<ShownRecord>[] {
  return [
    { id: 'partition', title: streamWords.partition, align: 'end', cell: ({ partition }) => count(partition) },
    {
      id: 'offset',
      title: recordWords.offset,
      align: 'end',
      cell: (record) => (
        <Button
          kind="link"
          label={recordWords.record(record.partition, count(record.offset))}
          onClick={() => showRecord(stream, record)}
        >
          {count(record.offset)}
        </Button>
      ),
    },
    { id: 'time', title: recordWords.time, cell: ({ timestamp }) => (timestamp < 0 ? '' : time(timestamp)) },
    {
      id: 'key',
      title: recordWords.key,
      cell: ({ key }) =>
        key === null ? <span class="muted">{recordWords.noKey}</span> : <span class="mono">{previewOf(key)}</span>,
    },
    {
      id: 'value',
      title: recordWords.value,
      cell: ({ value, control }) =>
        value !== null ? (
          <span class="mono">{previewOf(value)}</span>
        ) : (
          <span class="muted">{control === null ? recordWords.tombstone : ''}</span>
        ),
    },
    { id: 'state', title: recordWords.transaction, cell: (record) => <RecordState of={record} /> },
    { id: 'size', title: streamWords.bytes, align: 'end', cell: (record) => bytes(record.bytes) },
  ];
}

function RecordState({ of: { control, transaction } }: { readonly of: ShownRecord }) {
  if (control !== null) return <Badge tone="info">{recordWords[control.type]}</Badge>;
  if (transaction === 'none') return null;
  const tone = { open: 'warn', committed: 'good', aborted: 'bad' } as const;
  return <Badge tone={tone[transaction]}>{recordWords[transaction]}</Badge>;
}

export function showRecord(stream: string, record: ShownRecord): void {
  const title = recordWords.record(record.partition, count(record.offset));
  void openDialog<void>((close) => (
    <Dialog title={title} wide onClose={close}>
      <RecordView stream={stream} record={record} />
    </Dialog>
  ));
}

/** A record with all that it has. */
function RecordView({ stream, record }: { readonly stream: string; readonly record: ShownRecord }) {
  const { partition, offset, key, value, headers, producer, message, control } = record;
  const path = url`/streams/${stream}/messages/${partition}/${offset}`;
  const fileName = `${stream}-${partition}-${offset}`;
  return (
    <>
      <Facts
        of={[
          [recordWords.time, record.timestamp < 0 ? undefined : exactTime(record.timestamp)],
          [
            recordWords.transaction,
            record.transaction === 'none' && control === null ? undefined : <RecordState of={record} />,
          ],
          [
            recordWords.producer,
            producer === null
              ? undefined
              : recordWords.producerText(count(producer.id), producer.epoch, producer.sequence),
          ],
          [recordWords.compression, record.compression],
          [
            messageWords.trace,
            <TraceLink id={message?.properties['message_id']} name={stream} messageKey={textOf(key)} />,
          ],
          [
            recordWords.exchange,
            message === null ? undefined : message.exchange === '' ? recordWords.defaultExchange : message.exchange,
          ],
          [recordWords.routingKey, message === null ? undefined : <span class="mono">{message.routing_key}</span>],
        ]}
      />
      {key !== null && (
        <Panel title={recordWords.key}>
          <StoredPayload
            of={key}
            label={recordWords.key}
            fileName={`${fileName}.key`}
            whole={{ path: `${path}/key` }}
          />
        </Panel>
      )}
      {control === null && (
        <Panel title={recordWords.value}>
          {value === null ? (
            <p class="muted">{recordWords.tombstone}</p>
          ) : (
            <StoredPayload
              of={value}
              label={recordWords.value}
              fileName={`${fileName}.value`}
              whole={{ path: `${path}/value` }}
            />
          )}
        </Panel>
      )}
      {message !== null && (
        <Panel title={recordWords.properties}>
          <JsonFacts value={message.properties} />
        </Panel>
      )}
      {headers.length > 0 && (
        <Panel title={recordWords.headers}>
          <Facts
            of={headers.map((header) => [
              header.name,
              header.value && <span class="mono">{previewOf(header.value)}</span>,
            ])}
          />
        </Panel>
      )}
    </>
  );
}

/** What can be looked for: text that was not cut. */
function textOf(key: ShownRecord['key']): string | undefined {
  return key === null || key.format === 'binary' || key.truncated ? undefined : key.data;
}
