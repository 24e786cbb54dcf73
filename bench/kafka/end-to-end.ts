import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/cli/bench/histogram.ts';
import type { Measurement } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { Window } from '../window.ts';
import { Session } from './session.ts';
import type { Work } from './work.ts';

const CATCH_UP_MS = 30_000;

/** Produces and consumes at once; latency is from when a batch was due to be sent until a fetch has brought it. */
export function kafkaEndToEnd(peer: Peer, directory: string, work: Work): Promise<Measurement> {
  return Session.use(peer, directory, work, async (session) => {
    const latency = new Histogram();
    /** When the batches were due that are not consumed yet, by partition: they come in the order in which they were sent. */
    const sentAt = session.templates.map((): number[] => []);
    const caughtUp = Promise.withResolvers<void>();
    let wanted: ReadonlyMap<number, number> | undefined;
    const ranges = session.templates.map((template) => ({ template, start: 0, end: Number.POSITIVE_INFINITY }));
    const consumers = await session.consumeLoads(ranges, {
      fetchBytes: work.fetchBytes,
      fetchSessions: work.fetchSessions,
      onBatch: (partition) => {
        const at = sentAt[partition]?.shift();
        if (at === undefined) throw new Error(`partition ${partition}: a batch came that was not sent`);
        latency.record(performance.now() - at);
      },
      onConsumed: () => {
        if (wanted !== undefined && isConsumed(wanted)) caughtUp.resolve();
      },
    });
    const isConsumed = (offsets: ReadonlyMap<number, number>) =>
      [...offsets].every(([partition, offset]) => consumers.some((load) => load.offset(partition) === offset));
    const recordsPerBatch = session.templates[0]?.records ?? 1;
    const producers = await session.produceLoads({
      acks: work.acks,
      inFlight: work.inFlight,
      batchesPerSecond: work.rate / recordsPerBatch / work.connections,
      onSent: (partition, at) => sentAt[partition]?.push(at),
    });
    for (const load of [...consumers, ...producers]) load.start();
    await session.run.orFailed(delay(work.warmUpSeconds * 1000));
    latency.reset();
    const window = new Window(session.run.broker, consumers);
    await session.run.orFailed(delay(work.seconds * 1000));
    const measurement = window.end({ bench: 'kafka-e2e', unit: 'records', latency });
    await session.run.orFailed(Promise.all(producers.map((load) => load.stop())));
    await session.checkOffsets(producers);
    const offsets = new Map(producers.flatMap((load) => [...load.offsets]));
    wanted = offsets;
    if (!isConsumed(offsets)) {
      const late = delay(CATCH_UP_MS, undefined, { ref: false }).then(() => {
        throw new Error(`not everything acknowledged was consumed within ${CATCH_UP_MS} ms`);
      });
      await session.run.orFailed(Promise.race([caughtUp.promise, late]));
    }
    return measurement;
  });
}
