import { z } from 'zod';
import { TRANSACTION_STATES, type Transaction, type TransactionState } from '../../../broker/index.ts';
import { nothing } from '../body-types.ts';
import { badRequest } from '../errors.ts';
import type { Listed } from '../listing.ts';
import { type Call, DONE, found, get, getList, post, type Route } from '../route.ts';
import type { TransactionDetails, TransactionSummary } from '../shapes/transactions.ts';
import { demand, mayCluster, refused, streamOf } from '../stream-access.ts';

const ending = z.object({
  producer_id: z.int().min(0),
  producer_epoch: z.int().min(0).max(0x7fff),
  coordinator_epoch: z.int().min(-1).default(-1),
});

export const transactionRoutes: readonly Route[] = [
  getList(
    '/transactions',
    {
      access: 'user',
      summary: 'Transactional ids; `states` by commas, `open=true` for those with a transaction under way',
    },
    (call) => {
      const { access, broker } = call;
      const { transactions } = broker;
      const visible = transactions
        .list({ states: statesIn(call) })
        .filter(({ transactionalId }) => access.may('describe', 'transactional-id', transactionalId));
      return listed(call, visible);
    },
  ),
  get('/transactions/:transaction', { access: 'user', summary: 'One transactional id' }, (call) => {
    const id = call.param('transaction');
    demand(call, 'describe', 'transactional-id', id);
    return detailsOf(call, found(call.broker.transactions.coordinatorOf(id).get(id)));
  }),
  post(
    '/transactions/:transaction/abort',
    { access: 'user', summary: 'Aborts what is under way, and fences the producer: it cannot go on' },
    nothing,
    async (call) => {
      const id = call.param('transaction');
      demand(call, 'write', 'transactional-id', id);
      const coordinator = call.broker.transactions.coordinatorOf(id);
      const { timeoutMs } = found(coordinator.get(id));
      // What Kafka's tools do: another producer comes, and has nothing to do.
      await coordinator.init({ transactionalId: id, timeoutMs });
      return DONE;
    },
  ),
  post(
    '/streams/:stream/partitions/:partition/abort-transaction',
    { access: 'user', summary: 'Ends a transaction in one partition that no coordinator knows' },
    ending,
    async (call, given) => {
      // Asked first: whoever may not do this need not know what there is.
      if (!mayCluster(call, 'alter') && !mayCluster(call, 'cluster-action'))
        throw refused(call, 'alter', 'cluster', 'kafka-cluster');
      const stream = streamOf(call, 'describe');
      const partition = found(stream.partitions[Number(call.param('partition'))]);
      await call.broker.transactions.endUnknown(stream.id, partition, {
        producerId: given.producer_id,
        producerEpoch: given.producer_epoch,
        coordinatorEpoch: given.coordinator_epoch,
        outcome: 'abort',
      });
      return DONE;
    },
  ),
];

const OPEN: readonly TransactionState[] = ['Ongoing', 'PrepareCommit', 'PrepareAbort'];

function statesIn(call: Call): readonly TransactionState[] {
  if (call.query('open') === 'true') return OPEN;
  const words = (call.query('states') ?? '').split(',').filter((word) => word !== '');
  return words.map((word) => {
    const state = TRANSACTION_STATES.find((each) => each.toLowerCase() === word.toLowerCase());
    if (state === undefined) throw badRequest(`states are some of ${TRANSACTION_STATES.join(', ')}`);
    return state;
  });
}

function listed(call: Call, items: readonly Transaction[]): Listed<Transaction> {
  return {
    items,
    basics: (transaction) => ({ ...summaryOf(call, transaction) }),
    show: (transaction) => ({ ...summaryOf(call, transaction) }),
    order: ['name'],
    paged: true,
  };
}

function summaryOf({ broker }: Call, transaction: Transaction): TransactionSummary {
  const { state, startTime, partitions, groups } = transaction;
  const open = OPEN.includes(state) && startTime >= 0;
  let count = 0;
  for (const indexes of partitions.values()) count += indexes.size;
  return {
    name: transaction.transactionalId,
    ...{ state, producer_id: transaction.producerId, producer_epoch: transaction.producerEpoch },
    timeout_ms: transaction.timeoutMs,
    started_at: open ? startTime : null,
    age_ms: open ? Math.max(0, broker.environment.clock.now() - startTime) : null,
    updated_at: transaction.updateTime,
    ...{ partitions: count, groups: groups.size },
  };
}

/** Streams and groups that the user may not know of are left out. */
function detailsOf(call: Call, transaction: Transaction): TransactionDetails {
  const { streams } = call.broker;
  const partitions = [...transaction.partitions].flatMap(([streamId, indexes]) => {
    const stream = streams.getById(streamId);
    if (stream === undefined || !call.access.may('describe', 'topic', stream.name)) return [];
    return [{ stream: stream.name, partitions: [...indexes].sort((a, b) => a - b) }];
  });
  const groups = [...transaction.groups].filter((group) => call.access.may('describe', 'group', group));
  return { ...summaryOf(call, transaction), partition_details: partitions, group_details: groups };
}
