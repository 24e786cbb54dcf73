import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/cli/bench/histogram.ts';
import type { Measurement } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { Window } from '../window.ts';
import { Session } from './session.ts';
import type { Work } from './work.ts';

/** The newest so many bytes are the tail: fewer than either broker keeps in memory. */
const TAIL_BYTES = 16_000_000;

/** How fast records are read, over and over for the length of the window; latency is from a fetch to its whole answer. */
export function kafkaConsume(peer: Peer, directory: string, work: Work): Promise<Measurement> {
  return Session.use(peer, directory, work, async (session) => {
    if (work.from === 'cold') session.run.mustBeDurable();
    const batches = await session.fill(work.totalBytes);
    const batchBytes = session.templates.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const first = work.from === 'cold' ? 0 : Math.max(batches - Math.ceil(TAIL_BYTES / batchBytes), 0);
    if (work.from === 'cold') await session.run.restart();
    const ranges = session.templates.map((template) => ({
      template,
      start: first * template.records,
      end: batches * template.records,
    }));
    const latency = new Histogram();
    const { fetchBytes, fetchSessions } = work;
    const loads = await session.consumeLoads(ranges, { fetchBytes, fetchSessions, latency });
    for (const load of loads) load.start();
    await session.run.orFailed(delay(work.warmUpSeconds * 1000));
    latency.reset();
    const window = new Window(session.run.broker, loads);
    await session.run.orFailed(delay(work.seconds * 1000));
    return window.end({ bench: `kafka-consume --from ${work.from}`, unit: 'records', latency });
  });
}
