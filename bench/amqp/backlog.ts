import type { Stages } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { median } from '../report.ts';
import { idleMegabytes, type Stage } from '../stage.ts';
import { AmqpSession } from './session.ts';
import { drain, fill } from './stages.ts';
import type { AmqpWork } from './work.ts';

/** A queue that is short. It is drained a few times, of which the first, for the compilers, does not count. */
const SHORT_MESSAGES = 50_000;
const SHORT_ROUNDS = 5;

/**
 * Publishes many messages before anybody consumes, drains the first half, restarts the broker, and drains the rest; before
 * all that, drains a short queue, for comparison.
 */
export function amqpBacklog(peer: Peer, directory: string, work: AmqpWork): Promise<Stages> {
  return AmqpSession.use(peer, directory, work, async (session) => {
    session.run.mustBeDurable();
    await session.declare();
    const short = await drainShort(session, Math.min(SHORT_MESSAGES, work.messages));

    const half = Math.floor(work.messages / 2);
    const filled = await fill(session, work.messages);
    const whenFull = await idleMegabytes(session.run.broker, work.idleSeconds);
    const drained = await drain(session, half);
    await session.expectWaiting(work.messages - half);

    await session.run.restart();
    const { readyMs } = session.run.broker;
    await session.expectWaiting(work.messages - half);
    const whenRestarted = await idleMegabytes(session.run.broker, work.idleSeconds);
    const rest = await drain(session, work.messages - half);
    await session.expectWaiting(0);
    return {
      bench: `amqp-backlog --messages ${work.messages}`,
      broker: peer.name,
      figures: [
        { name: 'publishing, messages/s', value: filled.perSecond },
        { name: 'publishing, broker CPU µs per message', value: filled.cpuMicroseconds },
        { name: 'publishing, peak memory MB', value: filled.peakMegabytes },
        { name: 'all waiting, memory MB', value: whenFull },
        { name: 'draining a short queue, messages/s', value: short },
        ...drainFigures('draining the first half', drained, short),
        { name: 'ready after a restart, ms', value: readyMs },
        { name: 'memory after a restart, MB', value: whenRestarted },
        ...drainFigures('draining the second half', rest, short),
        { name: 'client busy when draining, %', value: drained.clientCpuShare * 100 },
      ],
    };
  });
}

function drainFigures(name: string, drained: Stage, short: number) {
  return [
    { name: `${name}, messages/s`, value: drained.perSecond },
    { name: `${name}, against a short queue`, value: drained.perSecond / short },
    { name: `${name}, broker CPU µs per message`, value: drained.cpuMicroseconds },
    { name: `${name}, peak memory MB`, value: drained.peakMegabytes },
  ];
}

/** Messages per second. */
async function drainShort(session: AmqpSession, messages: number): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < SHORT_ROUNDS; round++) {
    await fill(session, messages);
    rates.push((await drain(session, messages)).perSecond);
  }
  return median(rates.slice(1));
}
