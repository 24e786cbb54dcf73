import type { Stages } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { idleMegabytes, type Stage } from '../stage.ts';
import { AmqpSession } from './session.ts';
import { drain, fill } from './stages.ts';
import type { AmqpWork } from './work.ts';

/** A queue that is short: what is compared with is how fast this many are drained. */
const SHORT_MESSAGES = 100_000;

/**
 * Publishes many messages before anybody consumes, drains the first half, restarts the broker, and drains the rest; before
 * all that, a short queue twice, of which the second time counts.
 */
export function amqpBacklog(peer: Peer, directory: string, work: AmqpWork): Promise<Stages> {
  return AmqpSession.use(peer, directory, work, async (session) => {
    session.run.mustBeDurable();
    await session.declare();
    const short = Math.min(SHORT_MESSAGES, work.messages);
    await fill(session, short);
    await drain(session, short);
    await fill(session, short);
    const shortDrain = await drain(session, short);

    const half = Math.floor(work.messages / 2);
    const filled = await fill(session, work.messages);
    const whenFull = await idleMegabytes(session.run.broker);
    const drained = await drain(session, half);
    await session.expectWaiting(work.messages - half);

    await session.run.restart();
    const { readyMs } = session.run.broker;
    await session.expectWaiting(work.messages - half);
    const whenRestarted = await idleMegabytes(session.run.broker);
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
        { name: 'draining a short queue, messages/s', value: shortDrain.perSecond },
        ...drainFigures('draining the first half', drained, shortDrain),
        { name: 'ready after a restart, ms', value: readyMs },
        { name: 'memory after a restart, MB', value: whenRestarted },
        ...drainFigures('draining the second half', rest, shortDrain),
        { name: 'client busy when draining, %', value: drained.clientCpuShare * 100 },
      ],
    };
  });
}

function drainFigures(name: string, drained: Stage, short: Stage) {
  return [
    { name: `${name}, messages/s`, value: drained.perSecond },
    { name: `${name}, against a short queue`, value: drained.perSecond / short.perSecond },
    { name: `${name}, broker CPU µs per message`, value: drained.cpuMicroseconds },
    { name: `${name}, peak memory MB`, value: drained.peakMegabytes },
  ];
}
