import type { ExchangeShape } from '../../src/protocols/http/shapes/topology.ts';
import { api } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { rate } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm } from '../kit/dialog.tsx';
import { Badge, Facts, Figure, Figures, JsonFacts, Panel } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { exchangeRates } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { notify } from '../kit/toast.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { exchangeWords, messageWords, queueWords, routeWords } from '../words/queues.ts';
import { addBinding, Bindings } from './exchanges/bindings.tsx';
import { RouteQuestion } from './exchanges/route-question.tsx';
import { ExchangeFeatures } from './exchanges.tsx';
import { PublishForm } from './messages/publish-form.tsx';
import { rateOf } from './queues/columns.tsx';

/** One exchange: its bindings, and what becomes of messages that are published to it. */
export function Exchange({ params: { vhost = '', exchange: name = '' } }: PageParameters) {
  const poll = usePoll<ExchangeShape>(url`/exchanges/${vhost}/${name}`);
  const { data: exchange } = poll;
  const around = exchange && exchange.name !== '' ? `/graph?around=${encodeURIComponent(`e:${name}`)}` : undefined;
  return (
    <Page
      title={exchange?.name === '' ? exchangeWords.default : name}
      within={[{ title: exchangeWords.exchanges, href: '/exchanges' }]}
      notes={
        exchange && (
          <>
            <Badge>{vhost}</Badge> <Badge tone="info">{exchange.type}</Badge> <ExchangeFeatures of={exchange} />
          </>
        )
      }
      actions={
        around !== undefined && (
          <>
            <a class="button" href={around}>
              {routeWords.graph}
            </a>
            {!name.startsWith('amq.') && (
              <Button kind="harm" icon="trash" onClick={() => deleteExchange(vhost, name)}>
                {exchangeWords.delete}
              </Button>
            )}
          </>
        )
      }
    >
      <Loaded of={poll}>{(loaded) => <Details exchange={loaded} path={name} />}</Loaded>
    </Page>
  );
}

async function deleteExchange(vhost: string, name: string): Promise<void> {
  const { delete: action, deleteText: text } = exchangeWords;
  if (!(await confirm({ title: action, text, action, typed: name }))) return;
  await api.remove(url`/exchanges/${vhost}/${name}`);
  notify(exchangeWords.deleted);
  navigate('/exchanges');
}

/** `path` is its name as it stands in paths. */
function Details({ exchange, path }: { readonly exchange: ExchangeShape; readonly path: string }) {
  const { vhost, name, message_stats: stats } = exchange;
  const isDefault = name === '';
  return (
    <>
      <Figures>
        <Figure name={exchangeWords.publishIn} value={rate(rateOf(stats, 'publish_in'))} />
        <Figure name={exchangeWords.publishOut} value={rate(rateOf(stats, 'publish_out'))} />
      </Figures>
      {isDefault && <Notice title={exchangeWords.defaultText} />}
      <Tabs
        label={path}
        tabs={[
          ...(isDefault
            ? []
            : [
                {
                  ...{ id: 'from', title: exchangeWords.bindingsFrom },
                  show: () => (
                    <Bindings
                      label={exchangeWords.bindingsFrom}
                      vhost={vhost}
                      path={url`/exchanges/${vhost}/${path}/bindings/source`}
                      hide="source"
                      add={() => addBinding({ vhost, source: name })}
                    />
                  ),
                },
                {
                  ...{ id: 'to', title: exchangeWords.bindingsTo },
                  show: () => (
                    <Bindings
                      label={exchangeWords.bindingsTo}
                      vhost={vhost}
                      path={url`/exchanges/${vhost}/${path}/bindings/destination`}
                      hide="destination"
                    />
                  ),
                },
              ]),
          { id: 'route', title: routeWords.question, show: () => <RouteQuestion vhost={vhost} exchange={path} /> },
          ...(exchange.internal
            ? []
            : [
                {
                  ...{ id: 'publish', title: messageWords.publish },
                  show: () => (
                    <Panel title={messageWords.publishTo}>
                      <PublishForm vhost={vhost} exchange={path} />
                    </Panel>
                  ),
                },
              ]),
          {
            ...{ id: 'charts', title: queueWords.charts },
            show: () => <History of="exchange" name={name} vhost={vhost} charts={[exchangeRates()]} />,
          },
          { id: 'details', title: common.details, show: () => <ExchangeFacts exchange={exchange} /> },
        ]}
      />
    </>
  );
}

function ExchangeFacts({ exchange }: { readonly exchange: ExchangeShape }) {
  return (
    <div class="panels">
      <Panel title={common.details}>
        <Facts
          of={[
            [common.virtualHost, exchange.vhost],
            [common.type, exchange.type],
            [queueWords.durable, exchange.durable],
            [queueWords.autoDelete, exchange.auto_delete],
            [exchangeWords.internal, exchange.internal],
            [queueWords.policy, exchange.policy],
          ]}
        />
      </Panel>
      <Panel title={common.arguments}>
        <JsonFacts value={exchange.arguments} />
      </Panel>
    </div>
  );
}
