import type { QueueShape } from '../../src/protocols/http/shapes/topology.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { queueWords } from '../words/queues.ts';
import { deleteQueues, purgeQueues } from './queues/actions.tsx';
import { queueColumns } from './queues/columns.tsx';
import { declareQueue } from './queues/declare-queue.tsx';

/** Queues, and streams that stand under queues' names. */
export function Queues() {
  const host = virtualHost.value;
  const columns = queueColumns();
  return (
    <Page
      title={queueWords.queues}
      actions={
        <Button icon="plus" kind="primary" onClick={declareQueue}>
          {queueWords.declare}
        </Button>
      }
    >
      <ServerTable<QueueShape>
        label={queueWords.queues}
        name="queues"
        path={host === '' ? '/queues' : url`/queues/${host}`}
        columns={host === '' ? columns : columns.filter(({ id }) => id !== 'vhost')}
        rowKey={({ vhost, name }) => `${vhost} ${name}`}
        empty={<Notice icon="queue" title={queueWords.none} />}
        bulk={(queues, clear) => <Bulk queues={queues} clear={clear} />}
      />
    </Page>
  );
}

function Bulk({ queues, clear }: { readonly queues: readonly QueueShape[]; clear(): void }) {
  const many = count(queues.length);
  const after = async (done: Promise<boolean>) => {
    if (await done) clear();
  };
  return (
    <>
      <Button kind="harm" onClick={() => after(purgeQueues(queues))}>
        {queueWords.purgeMany(queues.length, many)}
      </Button>
      <Button kind="harm" icon="trash" onClick={() => after(deleteQueues(queues))}>
        {queueWords.deleteMany(queues.length, many)}
      </Button>
    </>
  );
}
