import { type CommonOptions, compared, type LoadOptions, warmUpSeconds } from '../options.ts';
import type { Peer } from '../peers/peer.ts';
import { rabbitmq, rabbitmqMissing } from '../peers/rabbitmq.ts';
import { sluice } from '../peers/sluice.ts';
import { measurementReporting, stagesReporting } from '../report.ts';
import { PROFILE_DIRECTORY, runRounds } from '../rounds.ts';
import { IDLE_SECONDS } from '../stage.ts';
import { amqpBacklog } from './backlog.ts';
import { amqpConnections } from './connections.ts';
import { amqpFlow } from './flow.ts';
import { amqpQueues } from './queues.ts';
import type { AmqpWork } from './work.ts';

/** What the command line says; a command has some of them. Bytes are bytes, times are seconds. */
export interface AmqpOptions extends Omit<LoadOptions, 'seconds'> {
  readonly seconds?: number;
  readonly idle?: number;
  readonly size: number;
  readonly connections: number;
  readonly queues: number;
  readonly queueType: 'classic' | 'quorum';
  readonly window: number;
  readonly prefetch: number;
  readonly ackEvery?: number;
  readonly messages?: number;
  readonly rate?: number;
  readonly consumers?: number;
}

/** Runs one bench on the broker and on what it is compared with. */
export async function runAmqp(name: string, options: AmqpOptions): Promise<void> {
  const work = workOf(name, options);
  const { consumers = work.connections } = options;
  const rounds = { ...options, name, work: { ...work, consumers }, peers: await peersOf(options) };
  switch (name) {
    case 'amqp-backlog':
      return runRounds(rounds, stagesReporting, (peer, directory) => amqpBacklog(peer, directory, work));
    case 'amqp-queues':
      return runRounds(rounds, stagesReporting, (peer, directory) => amqpQueues(peer, directory, work));
    case 'amqp-connections':
      return runRounds(rounds, stagesReporting, (peer, directory) => amqpConnections(peer, directory, work, consumers));
    default:
      return runRounds(rounds, measurementReporting, (peer, directory) => amqpFlow(name, peer, directory, work));
  }
}

const SHORT = {
  size: 200,
  connections: 2,
  queues: 2,
  queueType: 'classic',
  window: 500,
  prefetch: 500,
  seconds: 1,
  warmUp: 0.2,
  idle: 0.2,
  rounds: 1,
} as const;

/** Everything once, for about a second each. */
export async function runShortAmqp({ storage: _, ...options }: CommonOptions): Promise<void> {
  // Where Sluice keeps its data is nothing to others.
  const { against: _against, onlyAgainst, ...alone } = options;
  const inMemory = onlyAgainst ? [] : [{ ...alone, ...SHORT, storage: 'memory' as const }];
  for (const short of [{ ...options, ...SHORT, storage: 'disk' as const }, ...inMemory]) {
    await runAmqp('amqp-confirm', short);
    await runAmqp('amqp-confirm', { ...short, queueType: 'quorum', ackEvery: 50 });
    await runAmqp('amqp-confirm', { ...short, rate: 1_000 });
    await runAmqp('amqp-transient', short);
    await runAmqp('amqp-fanout', { ...short, queues: 10 });
    await runAmqp('amqp-connections', { ...short, consumers: 100, rate: 1_000 });
  }
  const short = { ...options, ...SHORT, storage: 'disk' as const };
  await runAmqp('amqp-backlog', { ...short, messages: 20_000 });
  await runAmqp('amqp-queues', { ...short, queues: 200 });
}

function workOf(name: string, options: AmqpOptions): AmqpWork {
  const transient = name === 'amqp-transient';
  const ackEvery = transient ? 0 : (options.ackEvery ?? 1);
  const { prefetch } = options;
  if (ackEvery > prefetch)
    throw new Error(`with --prefetch ${prefetch}, --ack-every ${ackEvery} would never come to acknowledge`);
  return {
    messageBytes: options.size,
    queueType: options.queueType,
    exchange: name === 'amqp-fanout' ? 'fanout' : 'default',
    persistent: !transient,
    confirms: !transient,
    connections: options.connections,
    queues: options.queues,
    window: options.window,
    prefetch,
    ackEvery,
    seconds: options.seconds ?? 0,
    warmUpSeconds: warmUpSeconds(options),
    idleSeconds: options.idle ?? IDLE_SECONDS,
    messages: options.messages ?? (name === 'amqp-queues' ? options.queues : Number.POSITIVE_INFINITY),
    rate: options.rate ?? Number.POSITIVE_INFINITY,
  };
}

function peersOf(options: CommonOptions & { readonly profile?: boolean }): Promise<Peer[]> {
  const profileDirectory = options.profile ? PROFILE_DIRECTORY : undefined;
  const own = sluice({ ...options, listen: 'amqp', profileDirectory });
  return compared(options, own, 'RabbitMQ', rabbitmqMissing, async () => [rabbitmq()]);
}
