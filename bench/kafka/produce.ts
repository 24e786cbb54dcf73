import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/cli/bench/histogram.ts';
import type { Measurement } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { Window } from '../window.ts';
import { Session } from './session.ts';
import type { Work } from './work.ts';

/** How fast batches are acknowledged, with so many under way at a time; latency is from sending to the answer. */
export function kafkaProduce(peer: Peer, directory: string, work: Work): Promise<Measurement> {
  return Session.use(peer, directory, work, async (session) => {
    const latency = new Histogram();
    const enough = Promise.withResolvers<void>();
    let window: Window | undefined;
    const loads = await session.produceLoads({
      acks: work.acks,
      inFlight: work.inFlight,
      batchesPerSecond: Number.POSITIVE_INFINITY,
      latency,
      onAcknowledged: () => {
        if (window !== undefined && window.bytes >= work.totalBytes) enough.resolve();
      },
    });
    for (const load of loads) load.start();
    await session.run.orFailed(delay(work.warmUpSeconds * 1000));
    latency.reset();
    window = new Window(session.run.broker, loads);
    await session.run.orFailed(Promise.race([delay(work.seconds * 1000), enough.promise]));
    const measurement = window.end({ bench: 'kafka-produce', unit: 'records', latency });
    await session.run.orFailed(Promise.all(loads.map((load) => load.stop())));
    await session.checkOffsets(loads);
    return measurement;
  });
}
