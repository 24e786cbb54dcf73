import { execFileSync } from 'node:child_process';
import type { Stages } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { measurementReporting } from '../report.ts';
import { idleMegabytes, stage } from '../stage.ts';
import { Flow } from './flow.ts';
import { AmqpSession } from './session.ts';
import type { AmqpWork } from './work.ts';

/** Files that a process has open beside the connections. */
const FILES_BESIDE = 500;

/** Opens many connections, each with a channel and a consumer, then publishes to them. */
export function amqpConnections(peer: Peer, directory: string, work: AmqpWork, consumers: number): Promise<Stages> {
  return AmqpSession.use(peer, directory, work, async (session) => {
    mustHaveFiles(consumers + FILES_BESIDE);
    await session.declare();
    const { broker } = session.run;
    const before = await idleMegabytes(broker, work.idleSeconds);
    let flow: Flow | undefined;
    const opened = await stage(broker, consumers, async () => {
      flow = await Flow.open(session, work, consumers);
      await flow.consume();
    });
    if (flow === undefined) throw new Error('no connections were opened');
    const whenOpen = await idleMegabytes(broker, work.idleSeconds);
    const bench = `amqp-connections --consumers ${consumers}`;
    const measurement = await flow.measure(bench);
    await flow.finish();
    return {
      bench,
      broker: peer.name,
      figures: [
        { name: 'opening all, s', value: opened.seconds },
        { name: 'opening, broker CPU µs per connection', value: opened.cpuMicroseconds },
        { name: 'memory before, MB', value: before },
        { name: 'memory with all open, MB', value: whenOpen },
        {
          name: 'memory of a connection, KB',
          value: whenOpen && before && ((whenOpen - before) / consumers) * 1000,
        },
        ...measurementReporting.figures(measurement),
        { name: 'client busy, %', value: measurement.clientCpuShare * 100 },
      ],
    };
  });
}

/** Node raises the limit as far as it may, and brokers that it starts get the same. */
function mustHaveFiles(wanted: number): void {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));
  if (limit < wanted) throw new Error(`${wanted} files are needed and ${limit} may be open: raise ulimit -Hn`);
}
