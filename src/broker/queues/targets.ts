import { type Log, MAX_TARGETS, type Shard } from '../../storage/index.ts';
import type { Route } from '../routing/route.ts';
import type { Destination, StreamQueue } from '../virtual-hosts/destination.ts';
import type { MessageBatch } from './message-batch.ts';
import { Queue } from './queue.ts';

/** The queues of a route that live in one shard, as many as an entry may have: one copy of a message serves them all. */
export class QueueGroup {
  readonly shard: Shard;
  readonly queues: Queue[] = [];
  hasPriorities = false;
  /** A queue that keeps every message over a restart, whatever the message says. */
  keepsTransient = false;
  /** The batch that the next message goes to, unless it is sealed. */
  batch: MessageBatch | undefined;
  /** The priority of the messages in it. */
  priority = 0;
  #plainLogs: Log[] | undefined;

  constructor(shard: Shard) {
    this.shard = shard;
  }

  /** Where messages of that priority go. */
  logsFor(priority: number): readonly Log[] {
    if (this.hasPriorities) return this.queues.map((queue) => queue.logFor(priority));
    this.#plainLogs ??= this.queues.map((queue) => queue.logFor(0));
    return this.#plainLogs;
  }
}

/** A route, taken apart once for all messages that follow it. */
export class Targets {
  readonly groups: readonly QueueGroup[];
  readonly streams: readonly StreamQueue[];

  constructor(targets: readonly Destination[]) {
    const groups: QueueGroup[] = [];
    const open = new Map<Shard, QueueGroup>();
    const streams: StreamQueue[] = [];
    for (const target of targets) {
      if (!(target instanceof Queue)) {
        streams.push(target);
        continue;
      }
      let group = open.get(target.shard);
      if (group === undefined || group.queues.length === MAX_TARGETS) {
        group = new QueueGroup(target.shard);
        open.set(target.shard, group);
        groups.push(group);
      }
      group.queues.push(target);
      group.hasPriorities ||= target.hasPriorities;
      group.keepsTransient ||= target.keepsTransient;
    }
    this.groups = groups;
    this.streams = streams;
  }

  static of(route: Route<Destination>): Targets {
    if (route.memo instanceof Targets) return route.memo;
    const targets = new Targets(route.targets);
    route.memo = targets;
    return targets;
  }
}
