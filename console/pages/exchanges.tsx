import type { ExchangeShape } from '../../src/protocols/http/shapes/topology.ts';
import { rate } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Badge } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { common } from '../words/common.ts';
import { exchangeWords, queueWords, routeWords } from '../words/queues.ts';
import { ExchangeLink } from './exchanges/bindings.tsx';
import { declareExchange } from './exchanges/declare-exchange.tsx';
import { rateOf } from './queues/columns.tsx';

/** Exchanges of all types. */
export function Exchanges() {
  const host = virtualHost.value;
  const columns = exchangeColumns();
  return (
    <Page
      title={exchangeWords.exchanges}
      actions={
        <>
          <a class="button" href="/graph">
            {routeWords.graph}
          </a>
          <Button icon="plus" kind="primary" onClick={declareExchange}>
            {exchangeWords.declare}
          </Button>
        </>
      }
    >
      <ServerTable<ExchangeShape>
        label={exchangeWords.exchanges}
        name="exchanges"
        path={host === '' ? '/exchanges' : url`/exchanges/${host}`}
        columns={host === '' ? columns : columns.filter(({ id }) => id !== 'vhost')}
        rowKey={({ vhost, name }) => `${vhost} ${name}`}
        empty={<Notice icon="exchange" title={exchangeWords.none} />}
      />
    </Page>
  );
}

function exchangeColumns(): readonly Column<ExchangeShape>[] {
  return [
    {
      ...{ id: 'name', title: common.name, sort: 'name' },
      cell: ({ name, vhost }) => <ExchangeLink vhost={vhost} name={name} />,
    },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
    { id: 'type', title: common.type, sort: 'type', cell: ({ type }) => type },
    { id: 'features', title: queueWords.features, cell: (exchange) => <ExchangeFeatures of={exchange} /> },
    {
      ...{ id: 'in', title: exchangeWords.publishIn, sort: 'message_stats.publish_in_details.rate', align: 'end' },
      cell: ({ message_stats: stats }) => rate(rateOf(stats, 'publish_in')),
    },
    {
      ...{ id: 'out', title: exchangeWords.publishOut, sort: 'message_stats.publish_out_details.rate', align: 'end' },
      cell: ({ message_stats: stats }) => rate(rateOf(stats, 'publish_out')),
    },
  ];
}

/** What is special about an exchange, in a word each. */
export function ExchangeFeatures({ of }: { readonly of: ExchangeShape }) {
  return (
    <span class="badges">
      {!of.durable && <Badge tone="warn">{queueWords.transient}</Badge>}
      {of.auto_delete && <Badge>{queueWords.autoDelete}</Badge>}
      {of.internal && <Badge>{exchangeWords.internal}</Badge>}
      {Object.entries(of.arguments).map(([name, value]) => (
        <Badge key={name} tone="info" title={`${name}: ${JSON.stringify(value)}`}>
          {name}
        </Badge>
      ))}
      {of.policy !== undefined && <Badge tone="good">{of.policy}</Badge>}
    </span>
  );
}
