import type { Clock, Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { QueueRecord } from '../catalog/virtual-host-state.ts';
import type { FieldTable } from '../messages/index.ts';
import { Queue } from '../queues/queue.ts';
import type { QueueHost } from '../queues/queue-options.ts';
import type { Turns } from '../queues/turn.ts';
import type { QueueMeter } from '../telemetry/meters.ts';
import { queueSettings } from './effective-settings.ts';
import { describe } from './names.ts';
import type { Policy } from './policy.ts';
import type { QueueEntry, QueueType } from './queue-entry.ts';

export interface QueueMakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly virtualHost: string;
  readonly turns: Turns;
  /** Of queues that outlive a restart. */
  readonly shard: Shard;
  /** Of all others. */
  readonly transientShard: Shard;
  readonly queueHost: QueueHost;
  readonly meter?: QueueMeter | undefined;
}

/** What a queue is to be. */
export interface QueuePlan {
  readonly name: string;
  readonly type: QueueType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
  readonly logs: readonly string[];
  /** The connection that has it for itself, when it is exclusive. */
  readonly exclusive: boolean;
  readonly owner: object | undefined;
  readonly policy: Policy | undefined;
}

/** Makes the queues of one virtual host over their logs. */
export class QueueMaker {
  readonly #options: QueueMakerOptions;

  constructor(options: QueueMakerOptions) {
    this.#options = options;
  }

  /** UUIDs for the logs of a new queue: one for each priority, and the one of its state at the end. */
  newLogs(args: FieldTable): string[] {
    const lanes = Number(args.get('x-max-priority')?.value ?? 0) + 1;
    return Array.from({ length: lanes + 1 }, () => this.#options.random.uuid());
  }

  create(plan: QueuePlan): QueueEntry {
    return entryOf(plan, Queue.create(this.#queueOptions(plan)));
  }

  /** Rejects with `storage-damaged`, `storage-failed`. */
  async open({ name, type, autoDelete, logs }: QueueRecord, args: FieldTable, policy?: Policy): Promise<QueueEntry> {
    const plan = { name, type, autoDelete, logs, arguments: args, policy };
    const lasting = { ...plan, durable: true, exclusive: false, owner: undefined };
    return entryOf(lasting, await Queue.open(this.#queueOptions(lasting)));
  }

  #queueOptions({ name, type, durable, logs, arguments: args, policy }: QueuePlan) {
    const { clock, virtualHost, turns, shard, transientShard, queueHost, meter } = this.#options;
    const stateLogId = logs.at(-1);
    if (stateLogId === undefined)
      throw new BrokerError('storage-damaged', `${describe('queue', name, virtualHost)} has no logs`);
    return {
      name,
      virtualHost,
      shard: durable ? shard : transientShard,
      lanes: logs.slice(0, -1),
      stateLogId,
      settings: queueSettings(type, args, policy),
      keepsTransient: type === 'quorum',
      host: queueHost,
      turns,
      clock,
      meter,
    };
  }
}

function entryOf({ logs: _, ...plan }: QueuePlan, queue: Queue): QueueEntry {
  return { ...plan, kind: 'queue', destination: queue, queue };
}
