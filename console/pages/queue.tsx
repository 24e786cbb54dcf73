import type { ConsumerShape } from '../../src/protocols/http/shapes/clients.ts';
import type { QueueDetailsShape } from '../../src/protocols/http/shapes/topology.ts';
import { usePoll } from '../api/poll.ts';
import { bytes, count, rate } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Badge, Facts, Figure, Figures, JsonFacts, Panel } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { LocalTable } from '../kit/local-table.tsx';
import { messageFates, messageRates, queueLengths } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { deadLetterWords, messageWords, queueWords, transferWords } from '../words/queues.ts';
import { consumerColumns } from './clients/columns.tsx';
import { addBinding, Bindings, ExchangeLink } from './exchanges/bindings.tsx';
import { moveMessages } from './messages/move-dialog.tsx';
import { PublishForm } from './messages/publish-form.tsx';
import { deleteQueues, purgeQueues } from './queues/actions.tsx';
import { Features, rateOf } from './queues/columns.tsx';
import { QueueMessages } from './queues/queue-messages.tsx';

/** One queue: what is in it, who uses it, where it gets messages from. */
export function Queue({ params: { vhost = '', queue: name = '' } }: PageParameters) {
  const poll = usePoll<QueueDetailsShape>(url`/queues/${vhost}/${name}`);
  const { data: queue } = poll;
  const stays = queue?.type === 'stream';
  return (
    <Page
      title={name}
      within={[{ title: queueWords.queues, href: '/queues' }]}
      notes={
        queue && (
          <>
            <Badge>{vhost}</Badge> <Badge tone="info">{queueWords[queue.type]}</Badge> <Features of={queue} />
          </>
        )
      }
      actions={
        queue && (
          <>
            {!stays && (
              <>
                <Button onClick={() => moveMessages({ vhost, queue: name })}>{transferWords.move}</Button>
                <Button kind="harm" onClick={() => purgeQueues([queue])}>
                  {queueWords.purge}
                </Button>
              </>
            )}
            <Button
              kind="harm"
              icon="trash"
              onClick={async () => {
                if (await deleteQueues([queue])) navigate('/queues');
              }}
            >
              {queueWords.delete}
            </Button>
          </>
        )
      }
    >
      <Loaded of={poll}>{(loaded) => <Details queue={loaded} />}</Loaded>
    </Page>
  );
}

function Details({ queue }: { readonly queue: QueueDetailsShape }) {
  const { name, vhost, type, message_stats: stats, consumer_details: consumers } = queue;
  return (
    <>
      <Figures>
        <Figure name={queueWords.ready} value={count(queue.messages_ready)} />
        <Figure name={queueWords.unacknowledged} value={count(queue.messages_unacknowledged)} />
        <Figure name={queueWords.consumers} value={count(queue.consumers)} />
        <Figure name={queueWords.incoming} value={rate(rateOf(stats, 'publish'))} />
        <Figure name={queueWords.deliver} value={rate(rateOf(stats, 'deliver_get'))} />
        <Figure name={queueWords.acknowledged} value={rate(rateOf(stats, 'ack'))} />
      </Figures>
      <Tabs
        label={name}
        tabs={[
          {
            ...{ id: 'messages', title: messageWords.messages, note: count(queue.messages) },
            show: () => <QueueMessages vhost={vhost} queue={name} isStream={type === 'stream'} />,
          },
          { id: 'details', title: common.details, show: () => <QueueFacts queue={queue} /> },
          {
            ...{ id: 'charts', title: queueWords.charts },
            show: () => (
              <History of="queue" name={name} vhost={vhost} charts={[queueLengths(), messageRates(), messageFates()]} />
            ),
          },
          {
            ...{ id: 'consumers', title: queueWords.consumers, note: count(queue.consumers) },
            show: () => (
              <LocalTable<ConsumerShape>
                label={queueWords.consumers}
                columns={consumerColumns().filter(({ id }) => id !== 'queue')}
                rows={consumers}
                rowKey={(each) => `${each.channel_details.name} ${each.consumer_tag}`}
                empty={<Notice title={queueWords.noConsumers} />}
              />
            ),
          },
          {
            ...{ id: 'bindings', title: queueWords.bindings },
            show: () => (
              <Bindings
                label={queueWords.bindings}
                vhost={vhost}
                path={url`/queues/${vhost}/${name}/bindings`}
                hide="destination"
                add={() => addBinding({ vhost, queue: name })}
              />
            ),
          },
          {
            ...{ id: 'publish', title: messageWords.publish },
            show: () => (
              <Panel title={messageWords.publishTo}>
                <PublishForm vhost={vhost} exchange="amq.default" routingKey={name} />
              </Panel>
            ),
          },
        ]}
      />
    </>
  );
}

function QueueFacts({ queue }: { readonly queue: QueueDetailsShape }) {
  const { policy, effective_policy_definition: definition, owner_pid_details: owner } = queue;
  const exchange = deadLetterExchangeOf(queue);
  return (
    <div class="panels">
      <Panel title={common.details}>
        <Facts
          of={[
            [common.virtualHost, queue.vhost],
            [common.type, queueWords[queue.type]],
            [common.state, queue.state],
            [queueWords.durable, queue.durable],
            [queueWords.autoDelete, queue.auto_delete],
            [queueWords.exclusive, queue.exclusive],
            [queueWords.owner, owner && <a href={url`/connections/${owner.name}`}>{owner.name}</a>],
            [queueWords.deadLetterExchange, exchange && <ExchangeLink vhost={queue.vhost} name={exchange.name} />],
            [queueWords.deadLetterKey, exchange?.key && <DeadLetterKey vhost={queue.vhost} of={exchange} />],
            [
              deadLetterWords.title,
              <a href={url`/dead-letters/${queue.vhost}/${queue.name}`}>{queueWords.deadLettersHere}</a>,
            ],
            [
              queueWords.readyBytes,
              queue.message_bytes_ready === undefined ? undefined : bytes(queue.message_bytes_ready),
            ],
          ]}
        />
      </Panel>
      <Panel title={common.arguments}>
        <JsonFacts value={queue.arguments} />
      </Panel>
      <Panel title={queueWords.policyInEffect}>
        {policy === null ? (
          <p class="muted">{queueWords.noPolicy}</p>
        ) : (
          <>
            <p>{policy}</p>
            <JsonFacts value={definition} />
          </>
        )}
      </Panel>
    </div>
  );
}

interface DeadLetterExchange {
  readonly name: string;
  /** Undefined where letters keep their own. */
  readonly key: string | undefined;
}

/** Its own, or its policy's. */
function deadLetterExchangeOf(queue: QueueDetailsShape): DeadLetterExchange | undefined {
  const { arguments: own, effective_policy_definition: policy } = queue;
  const of = (name: string) => {
    const value = own[`x-${name}`] ?? policy?.[name];
    return typeof value === 'string' ? value : undefined;
  };
  const name = of('dead-letter-exchange');
  return name === undefined ? undefined : { name, key: of('dead-letter-routing-key') };
}

/** To the default exchange, the key is the queue that gets the letters. */
function DeadLetterKey({ vhost, of: { name, key = '' } }: { readonly vhost: string; readonly of: DeadLetterExchange }) {
  return name === '' ? <a href={url`/queues/${vhost}/${key}`}>{key}</a> : <span class="mono">{key}</span>;
}
