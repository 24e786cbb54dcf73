import type { Stages } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { idleMegabytes, stage } from '../stage.ts';
import { AmqpSession } from './session.ts';
import { drain, fill } from './stages.ts';
import type { AmqpWork } from './work.ts';

/** Declares many queues, publishes a message to each, restarts the broker, and consumes them. */
export function amqpQueues(peer: Peer, directory: string, work: AmqpWork): Promise<Stages> {
  return AmqpSession.use(peer, directory, work, async (session) => {
    session.run.mustBeDurable();
    const { run, queues } = session;
    const declared = await stage(run.broker, queues.length, () => session.declare());
    const whenDeclared = await idleMegabytes(run.broker, work.idleSeconds);

    const first = await fill(session, queues.length);
    const consumed = await drain(session, queues.length);
    await fill(session, queues.length);
    await run.restart();
    const { readyMs } = run.broker;
    const whenRestarted = await idleMegabytes(run.broker, work.idleSeconds);
    await session.expectWaiting(queues.length);
    const recovered = await drain(session, queues.length);
    await session.expectWaiting(0);
    return {
      bench: `amqp-queues --queues ${queues.length}`,
      broker: peer.name,
      figures: [
        { name: 'declaring all, s', value: declared.seconds },
        { name: 'declaring, broker CPU µs per queue', value: declared.cpuMicroseconds },
        { name: 'memory with all declared, MB', value: whenDeclared },
        { name: 'publishing one message to each, s', value: first.seconds },
        { name: 'consuming one message of each, s', value: consumed.seconds },
        { name: 'ready after a restart, ms', value: readyMs },
        { name: 'memory after a restart, MB', value: whenRestarted },
        { name: 'consuming one message of each after it, s', value: recovered.seconds },
      ],
    };
  });
}
