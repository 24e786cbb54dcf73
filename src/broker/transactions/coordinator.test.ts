import { beforeEach, describe, expect, it } from 'vitest';
import { LOG_A, LOG_B, ManualCommitLog, ShardHome } from '../../../test/storage/fixture.ts';
import { BrokerError } from '../../errors.ts';
import { encodeBatch } from '../../records/index.ts';
import { ShardEventLog } from '../event-log.ts';
import { Partition } from '../streams/partition.ts';
import { streamConfig } from '../streams/stream-config.ts';
import { TransactionCoordinator } from './coordinator.ts';
import { DEFAULT_TRANSACTION_SETTINGS } from './settings.ts';
import { type TransactionEvent, type TransactionsState, transactionEventCodec, transactionsMachine } from './state.ts';
import type { ProducerIdentity } from './transaction.ts';

const STREAM = 'stream';
const ID = 'teller';

describe('a coordinator in another shard than its partition', () => {
  /** Of the coordinator's shard: nothing is durable there before the test says so. */
  let held: ManualCommitLog;
  let partition: Partition;
  let coordinator: TransactionCoordinator;
  let producer: ProducerIdentity;

  beforeEach(async () => {
    const [home, other] = [new ShardHome(), new ShardHome()];
    const { clock, troubles } = home;
    held = new ManualCommitLog();
    const [shard, elsewhere] = [await home.open({}, held), await other.open()];
    const now = () => clock.now();
    partition = Partition.create({ index: 0, shard: elsewhere, logId: LOG_A, config: streamConfig({}, {}), now });
    const onTrouble = (error: (typeof troubles)[number]['error'], what: string) => troubles.push({ error, what });
    const log = await ShardEventLog.open<TransactionsState, TransactionEvent>({
      ...{ shard, logId: LOG_B, machine: transactionsMachine, codec: transactionEventCodec, now, onTrouble },
    });
    coordinator = new TransactionCoordinator({
      ...{ clock, log, settings: DEFAULT_TRANSACTION_SETTINGS, newProducerId: async () => 7, onTrouble },
      participants: {
        partition: () => partition,
        shardOfGroup: () => elsewhere,
        stageGroups: () => [],
      },
    });
    producer = await released(coordinator.init({ transactionalId: ID, timeoutMs: 60_000 }));
  });

  /** Makes durable what is held, and what comes of that, until something is done. */
  async function released<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settle = () => {
      done = true;
    };
    promise.then(settle, settle);
    while (!done) {
      held.persist();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  }

  /** Answers the offset that the batch gets, or what it is refused with. */
  async function produce(sequence: number): Promise<number | string> {
    const batch = encodeBatch({
      ...{ timestamp: 1000, ...producer, baseSequence: sequence, transactional: true },
      records: [{ key: null, value: Buffer.from(`${sequence}`) }],
    });
    try {
      const request = { transactionalId: ID, streamId: STREAM, partition, batch } as const;
      const { baseOffset } = await coordinator.produce({ ...request, durability: 'durable', addsPartition: true });
      return baseOffset;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }

  it('appends the batches of a partition in their order, whatever of them had to wait until it was part of the transaction', async () => {
    const first = produce(0);
    const second = produce(1);
    const third = produce(2);
    expect(partition.log.nextOffset).toBe(0);
    held.persist();
    // The partition is part of the transaction by now, and the first batch is not appended yet.
    const last = produce(3);
    expect(await Promise.all([first, second, third, last])).toEqual([0, 1, 2, 3]);
    expect(await produce(4)).toBe(4);
  });

  it('appends no batch in the place of one before it, whose partition did not become part of the transaction', async () => {
    const lost = produce(0);
    const next = produce(1);
    held.fail(new BrokerError('storage-failed', 'as the test wants it'));
    expect(await lost).toBe('storage-failed');
    expect(await released(next)).toBe('out-of-order-sequence');
    expect(partition.log.nextOffset).toBe(0);
    expect(await released(Promise.all([produce(0), produce(1)]))).toEqual([0, 1]);
  });
});
