import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/cli/bench/histogram.ts';
import type { Measurement } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { Window } from '../window.ts';
import { Session } from './session.ts';
import type { TransactionProtocol } from './transaction-load.ts';
import type { Work } from './work.ts';

export interface TransactionWork extends Pick<Work, 'recordBytes' | 'partitions' | 'seconds' | 'warmUpSeconds'> {
  /** Each has a connection and a transactional id of its own. */
  readonly connections: number;
  /** Of one transaction: over all partitions, each of which gets as many. */
  readonly records: number;
  readonly protocol: TransactionProtocol;
}

/** How fast transactions are committed, one after the other by each producer; latency is from the beginning of one to its end. */
export function kafkaTransactions(peer: Peer, directory: string, work: TransactionWork): Promise<Measurement> {
  return Session.use(peer, directory, { ...work, batchBytes: 0, compression: 'none' }, async (session) => {
    const { protocol, recordBytes, records, partitions } = work;
    const latency = new Histogram();
    const recordsOf = Array.from({ length: partitions }, (_, partition) =>
      Math.floor((records + partition) / partitions),
    );
    const loads = await session.transactionLoads({ protocol, recordsOf, recordBytes, latency });
    for (const load of loads) load.start();
    await session.run.orFailed(delay(work.warmUpSeconds * 1000));
    latency.reset();
    const retries = () => loads.reduce((sum, load) => sum + load.retries, 0);
    const before = retries();
    const window = new Window(session.run.broker, loads);
    await session.run.orFailed(delay(work.seconds * 1000));
    const measurement = window.end({ bench: `kafka-transactions ${protocol}`, unit: 'transactions', latency });
    const retried = retries() - before;
    await session.run.orFailed(Promise.all(loads.map((load) => load.stop())));
    const committed = loads.reduce((sum, load) => sum + load.records, 0);
    // Each transaction leaves its records and a marker.
    const offsets = recordsOf.map((count, partition) => [partition, committed * (count + 1)] as const);
    await session.run.orFailed(session.comeToOffsets(new Map(offsets)));
    return { ...measurement, retried };
  });
}
