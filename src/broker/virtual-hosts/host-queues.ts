import type { Environment } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { QueueRecord } from '../catalog/virtual-host-state.ts';
import { Queue, type QueueHost } from '../queues/queue.ts';
import type { Turns } from '../queues/turn.ts';
import type { QueueOverStream } from '../streams/stream-queue.ts';
import { queueSettings, streamSettings } from './effective-settings.ts';
import { checkSame, checkSameArguments } from './equivalence.ts';
import type { HostChanges } from './host-changes.ts';
import { checkNewName, cleanName, describe, generatedQueueName } from './names.ts';
import type { Policy } from './policy.ts';
import { checkQueueArguments } from './queue-arguments.ts';
import type { DeleteQueue, QueueDeclaration, QueueEntry, QueueType } from './queue-entry.ts';
import { QUEUE_TYPES, queueTypeOf } from './queue-types.ts';
import { argumentsOf, argumentsRecord } from './records.ts';
import { Removal } from './removal.ts';
import { isPartition, streamEntry } from './stream-entry.ts';
import type { StreamQueues } from './stream-queues.ts';
import type { Topology } from './topology.ts';

export interface HostQueuesOptions {
  readonly environment: Pick<Environment, 'clock' | 'random'>;
  readonly topology: Topology;
  readonly changes: HostChanges;
  readonly streams: StreamQueues;
  readonly turns: Turns;
  /** Of queues that outlive a restart. */
  readonly shard: Shard;
  /** Of all others. */
  readonly transientShard: Shard;
  readonly defaultType: QueueType;
  readonly queueHost: QueueHost;
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
    const { topology, streams } = this.#options;
    const { name, type, autoDelete } = record;
    const args = argumentsOf(record.arguments);
    const policy = topology.policies.match({ kind: 'queue', name, type });
    if (type === 'stream') {
      const stream = streams.find(topology.host, name);
      if (stream !== undefined) this.#add(streamEntry(stream, policy, args));
      return stream !== undefined;
    }
    const options = this.#queueOptions(name, true, record.logs, queueSettings(type, args, policy));
    try {
      const queue = await Queue.open(options);
      const [owner, exclusive, durable] = [undefined, false, true];
      this.#add({
        kind: 'queue',
        name,
        type,
        durable,
        exclusive,
        autoDelete,
        arguments: args,
        owner,
        policy,
        destination: queue,
        queue,
      });
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
    this.#checkDamage(name);
    const entry = this.#options.topology.checkQueue(name);
    if (entry.owner !== undefined && entry.owner !== owner) this.#locked(name);
    return entry;
  }

  async declare(declaration: QueueDeclaration): Promise<QueueEntry> {
    const { topology, changes } = this.#options;
    const name = this.#nameOf(declaration);
    this.#checkDamage(name);
    const present = topology.queue(name);
    if (present !== undefined) return this.#again(present, declaration);
    const type = this.#checkNew(name, declaration);
    const policy = topology.policies.match({ kind: 'queue', name, type });
    const stream = type === 'stream' ? await this.#makeStream(name, declaration, policy) : undefined;
    const durable = declaration.durable && !declaration.exclusive;
    const logs = stream === undefined ? this.#newLogs(declaration) : [];
    let entry: QueueEntry | undefined;
    await changes.make(
      'queues',
      { makes: [changes.name('queue', name)] },
      () => {
        if (declaration.owner !== undefined && this.#gone.has(declaration.owner))
          throw new BrokerError('closed', 'the connection is gone');
        // What was discovered by its stream is not in the catalog yet.
        const now = stream === undefined ? topology.queue(name) : undefined;
        if (now !== undefined) {
          entry = this.#again(now, declaration);
          return undefined;
        }
        if (!durable) return [];
        const { autoDelete } = declaration;
        const queue = { name, type, autoDelete, arguments: argumentsRecord(declaration.arguments), logs };
        return [{ type: 'queue-created', host: topology.host, queue }];
      },
      () => {
        entry = this.#add(
          stream === undefined
            ? this.#open(name, type, durable, logs, declaration)
            : streamEntry(stream, policy, declaration.arguments),
        );
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

  #nameOf({ name, arguments: args }: QueueDeclaration): string {
    const cleaned = cleanName(name);
    if (cleaned !== '') return cleaned;
    const asked = String(args.get('x-queue-type')?.value ?? this.#options.defaultType);
    if (asked === 'quorum' || asked === 'stream') {
      const { module } = QUEUE_TYPES[asked];
      throw new BrokerError('precondition-failed', `Cannot declare a server-named queue for type ${module}`);
    }
    return generatedQueueName(this.#options.environment.random);
  }

  /** Throws `precondition-failed`, `access-refused`, in RabbitMQ's words. */
  #checkNew(name: string, declaration: QueueDeclaration): QueueType {
    const { topology, defaultType } = this.#options;
    if (declaration.name !== '') checkNewName('queue', name);
    checkQueueArguments(name, topology.host, declaration.arguments, defaultType);
    const type = queueTypeOf(declaration, defaultType);
    if (!QUEUE_TYPES[type].temporary) {
      const wrong = [
        declaration.autoDelete && 'auto-delete',
        declaration.exclusive && 'exclusive-owner',
        !declaration.durable && 'non-durable',
      ].find((property) => property !== false);
      if (wrong !== undefined)
        throw new BrokerError('precondition-failed', `invalid property '${wrong}' for ${this.#describe(name)}`);
    }
    return type;
  }

  async #makeStream(
    name: string,
    { arguments: args }: QueueDeclaration,
    policy: Policy | undefined,
  ): Promise<QueueOverStream> {
    const { topology, streams } = this.#options;
    const present = streams.find(topology.host, name);
    if (present !== undefined) return present;
    try {
      return await streams.create(topology.host, name, streamSettings(args, policy));
    } catch (error) {
      const { code, message } = toBrokerError(error);
      // Somebody else was first.
      const made = code === 'already-exists' ? streams.find(topology.host, name) : undefined;
      if (made !== undefined) return made;
      if (code !== 'invalid-argument' && code !== 'invalid-configuration') throw error;
      throw new BrokerError('precondition-failed', `${this.#describe(name)} cannot be a stream: ${message}`, {
        cause: error,
      });
    }
  }

  /** It is declared again: the same way, or there is an error. */
  #again(entry: QueueEntry, { durable, exclusive, autoDelete, owner, arguments: args }: QueueDeclaration): QueueEntry {
    const what = this.#describe(entry.name);
    if (entry.owner !== (exclusive ? owner : undefined)) this.#locked(entry.name);
    checkSame(what, 'durable', entry.durable, durable && !exclusive);
    checkSame(what, 'auto_delete', entry.autoDelete, autoDelete);
    checkSameArguments(what, QUEUE_TYPES[entry.type].arguments, entry.arguments, args);
    if (entry.kind === 'queue') entry.queue.touch();
    return entry;
  }

  #newLogs({ arguments: args }: QueueDeclaration): string[] {
    const { random } = this.#options.environment;
    const lanes = Number(args.get('x-max-priority')?.value ?? 0) + 1;
    return Array.from({ length: lanes + 1 }, () => random.uuid());
  }

  #open(
    name: string,
    type: QueueType,
    durable: boolean,
    logs: readonly string[],
    declaration: QueueDeclaration,
  ): QueueEntry {
    const { exclusive, autoDelete, arguments: args } = declaration;
    const policy = this.#options.topology.policies.match({ kind: 'queue', name, type });
    const queue = Queue.create(this.#queueOptions(name, durable, logs, queueSettings(type, args, policy)));
    const owner = exclusive ? declaration.owner : undefined;
    return {
      kind: 'queue',
      name,
      type,
      durable,
      exclusive,
      autoDelete,
      arguments: args,
      owner,
      policy,
      destination: queue,
      queue,
    };
  }

  #queueOptions(name: string, durable: boolean, logs: readonly string[], settings: Queue['settings']) {
    const { environment, topology, turns, shard, transientShard, queueHost } = this.#options;
    const stateLogId = logs.at(-1);
    if (stateLogId === undefined) throw new BrokerError('storage-damaged', `${this.#describe(name)} has no logs`);
    return {
      name,
      virtualHost: topology.host,
      shard: durable ? shard : transientShard,
      lanes: logs.slice(0, -1),
      stateLogId,
      settings,
      host: queueHost,
      turns,
      clock: environment.clock,
    };
  }

  #add(entry: QueueEntry): QueueEntry {
    this.#options.topology.addQueue(entry);
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

  #locked(name: string): never {
    throw new BrokerError(
      'resource-locked',
      `cannot obtain exclusive access to locked ${this.#describe(name)}. It could be originally declared on another ` +
        'connection or the exclusive property value does not match that of the original declaration.',
    );
  }

  #describe(name: string): string {
    return describe('queue', name, this.#options.topology.host);
  }
}
