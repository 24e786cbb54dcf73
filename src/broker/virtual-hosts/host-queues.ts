import type { Environment } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { QueueRecord } from '../catalog/virtual-host-state.ts';
import type { Queue } from '../queues/queue.ts';
import type { QueueOverStream } from '../streams/stream-queue.ts';
import type { Churn } from '../telemetry/message-counts.ts';
import { streamSettings } from './effective-settings.ts';
import type { HostChanges } from './host-changes.ts';
import { cleanName, describe, generatedQueueName } from './names.ts';
import { checkAccess, checkNewQueue, checkQueueAgain, checkUnnamedQueue } from './queue-checks.ts';
import type { DeleteQueue, QueueDeclaration, QueueEntry, QueueType } from './queue-entry.ts';
import type { QueueMaker } from './queue-maker.ts';
import { argumentsOf, argumentsRecord } from './records.ts';
import { Removal } from './removal.ts';
import { isPartition, streamEntry } from './stream-entry.ts';
import type { StreamQueues } from './stream-queues.ts';
import type { Topology } from './topology.ts';

export interface HostQueuesOptions {
  readonly environment: Pick<Environment, 'random'>;
  readonly topology: Topology;
  readonly changes: HostChanges;
  readonly streams: StreamQueues;
  readonly maker: QueueMaker;
  readonly defaultType: QueueType;
  readonly churn: Churn;
}

/** The queues of one virtual host: how they come, and how they go. */
export class HostQueues {
  readonly #options: HostQueuesOptions;
  /** Connections that are gone: nothing of theirs is to be made any more. */
  readonly #gone = new WeakSet<object>();
  /** Queues that could not be opened. */
  readonly #damaged = new Map<string, BrokerError>();

  constructor(options: HostQueuesOptions) {
    this.#options = options;
  }

  /** Opens what the catalog has; false for a stream that is gone. Rejects with why it cannot be opened. */
  async recover(record: QueueRecord): Promise<boolean> {
    const { topology, streams, maker } = this.#options;
    const { name, type } = record;
    const args = argumentsOf(record.arguments);
    const policy = topology.policies.match({ kind: 'queue', name, type });
    if (type === 'stream') {
      const stream = streams.get(topology.host, name);
      if (stream !== undefined) topology.addQueue(streamEntry(stream, policy, args));
      return stream !== undefined;
    }
    try {
      topology.addQueue(await maker.open(record, args, policy));
      return true;
    } catch (error) {
      // Whatever it was: its name is taken, and its messages are still there perhaps.
      const damage = toBrokerError(error);
      this.#damaged.set(name, damage);
      throw damage;
    }
  }

  isDamaged(name: string): boolean {
    return this.#damaged.has(name);
  }

  /** Throws `not-found`, `resource-locked`. */
  check(name: string, owner: object | undefined): QueueEntry {
    const { topology } = this.#options;
    this.#checkDamage(name);
    const entry = topology.checkQueue(name);
    checkAccess(entry, topology.host, owner);
    return entry;
  }

  async declare(declaration: QueueDeclaration): Promise<QueueEntry> {
    const { topology, changes, maker, defaultType, churn } = this.#options;
    churn.queuesDeclared++;
    const name = this.#nameOf(declaration);
    this.#checkDamage(name);
    const present = topology.queue(name);
    if (present !== undefined && !(wantsQueue(declaration) && topology.isUnusedTopic(present)))
      return this.#again(present, declaration);
    const type = checkNewQueue(name, topology.host, declaration, defaultType);
    const stream = type === 'stream' ? await this.#makeStream(name, declaration) : undefined;
    const { autoDelete, exclusive, arguments: args } = declaration;
    const durable = declaration.durable && !exclusive;
    const logs = stream === undefined ? maker.newLogs(args) : [];
    let entry: QueueEntry | undefined;
    await changes.make(
      'queues',
      { makes: [changes.name('queue', name)] },
      () => {
        if (declaration.owner !== undefined && this.#gone.has(declaration.owner))
          throw new BrokerError('closed', 'the connection is gone');
        const now = topology.declaredQueue(name);
        if (now !== undefined) {
          entry = this.#again(now, declaration);
          return undefined;
        }
        if (!durable) return [];
        const queue = { name, type, autoDelete, arguments: argumentsRecord(args), logs };
        return [{ type: 'queue-created', host: topology.host, queue }];
      },
      () => {
        const policy = topology.policies.match({ kind: 'queue', name, type });
        const owner = exclusive ? declaration.owner : undefined;
        churn.queuesCreated++;
        if (stream !== undefined) entry = topology.addStream(streamEntry(stream, policy, args));
        else {
          // A topic of the same name has nothing to do with it.
          const topic = topology.queue(name);
          if (topic !== undefined) topology.removeQueue(topic);
          entry = maker.create({ name, type, durable, autoDelete, exclusive, owner, arguments: args, logs, policy });
          topology.addQueue(entry);
        }
      },
    );
    if (entry === undefined) throw new BrokerError('internal', `the catalog made no ${this.#describe(name)}`);
    return entry;
  }

  /** Answers how many messages were ready. */
  async delete(given: string, { owner, ifUnused = false, ifEmpty = false }: DeleteQueue): Promise<number> {
    const { topology, changes, streams } = this.#options;
    const name = cleanName(given);
    if (this.#damaged.has(name)) return this.#deleteDamaged(name);
    let messages = 0;
    let stream: QueueOverStream | undefined;
    await changes.remove(() => {
      if (topology.queue(name) === undefined) return undefined;
      const entry = this.check(name, owner);
      if (entry.kind === 'stream') {
        if (isPartition(entry))
          throw new BrokerError(
            'precondition-failed',
            `${this.#describe(name)} is one of the partitions of stream '${entry.stream.stream.name}', which it goes with`,
          );
        // The queue goes with its stream.
        stream = entry.stream;
        return undefined;
      }
      entry.queue.catchUp();
      messages = entry.queue.readyCount;
      if (ifUnused && entry.queue.consumerCount > 0)
        throw new BrokerError('precondition-failed', `${this.#describe(name)} in use`);
      if (ifEmpty && messages > 0) throw new BrokerError('precondition-failed', `${this.#describe(name)} not empty`);
      return new Removal(topology).queue(entry);
    });
    if (stream !== undefined) {
      await streams.delete(stream);
      await this.streamGone(stream.stream.name);
    }
    return messages;
  }

  /** The queue expired, or its last consumer went; unless it is used again by now, it goes. */
  async expire(queue: Queue, why: 'idle' | 'unused'): Promise<void> {
    const { topology, changes } = this.#options;
    await changes.remove(() => {
      const entry = topology.queue(queue.name);
      if (entry?.destination !== queue || queue.consumerCount > 0) return undefined;
      return why === 'idle' || entry.autoDelete ? new Removal(topology).queue(entry) : undefined;
    });
  }

  /** A stream was deleted: what stood under its name goes. */
  async streamGone(topic: string): Promise<void> {
    const { topology, changes } = this.#options;
    await changes.remove(() => {
      const removal = new Removal(topology);
      for (const entry of topology.queues())
        if (entry.kind === 'stream' && entry.stream.stream.name === topic) removal.queue(entry);
      return removal.queues.size === 0 ? undefined : removal;
    });
  }

  async ownerGone(owner: object): Promise<void> {
    const { topology, changes } = this.#options;
    this.#gone.add(owner);
    await changes.remove(() => {
      const owned = topology.ownedBy(owner);
      if (owned.length === 0) return undefined;
      const removal = new Removal(topology);
      for (const entry of owned) removal.queue(entry);
      return removal;
    });
  }

  #nameOf(declaration: QueueDeclaration): string {
    const { environment, defaultType } = this.#options;
    const name = cleanName(declaration.name);
    if (name !== '') return name;
    checkUnnamedQueue(declaration, defaultType);
    return generatedQueueName(environment.random);
  }

  /** The stream of a queue that is declared: made, unless it is there. */
  async #makeStream(name: string, { arguments: args }: QueueDeclaration): Promise<QueueOverStream> {
    const { topology, streams } = this.#options;
    const present = streams.get(topology.host, name);
    if (present !== undefined) return present;
    try {
      const policy = topology.policies.match({ kind: 'queue', name, type: 'stream' });
      return await streams.create(topology.host, name, streamSettings(args, policy));
    } catch (error) {
      const { code, message } = toBrokerError(error);
      // Somebody else was first.
      const made = code === 'already-exists' ? streams.get(topology.host, name) : undefined;
      if (made !== undefined) return made;
      if (code !== 'invalid-argument' && code !== 'invalid-configuration') throw error;
      const what = `${this.#describe(name)} cannot be a stream: ${message}`;
      throw new BrokerError('precondition-failed', what, { cause: error });
    }
  }

  /** It is declared again: the same way, or there is an error. */
  #again(entry: QueueEntry, declaration: QueueDeclaration): QueueEntry {
    checkQueueAgain(entry, this.#options.topology.host, declaration);
    if (entry.kind === 'queue') entry.queue.touch();
    return entry;
  }

  async #deleteDamaged(name: string): Promise<number> {
    const { topology, changes } = this.#options;
    await changes.change(
      () => [{ type: 'queue-deleted', host: topology.host, name }],
      () => this.#damaged.delete(name),
    );
    return 0;
  }

  #checkDamage(name: string): void {
    const damage = this.#damaged.get(name);
    if (damage !== undefined)
      throw new BrokerError('not-found', `${this.#describe(name)} has crashed and failed to restart`, {
        cause: damage,
      });
  }

  #describe(name: string): string {
    return describe('queue', name, this.#options.topology.host);
  }
}

const wantsQueue = ({ arguments: args }: QueueDeclaration) => args.get('x-queue-type')?.value !== 'stream';
