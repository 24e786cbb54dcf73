import type { Environment } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LogSweeper } from '../catalog/log-sweeper.ts';
import type { VirtualHostInfo } from '../catalog/virtual-host-state.ts';
import type { Turns } from '../queues/turn.ts';
import type { Streams } from '../streams/streams.ts';
import { Meters } from '../telemetry/meters.ts';
import { TopologyCounts, type TopologyLimits } from './limits.ts';
import type { QueueType } from './queue-entry.ts';
import type { Removal } from './removal.ts';
import { DEFAULT_VIRTUAL_HOST, isDiscovered } from './stream-entry.ts';
import { StreamQueues } from './stream-queues.ts';
import { VirtualHost, type VirtualHostOptions } from './virtual-host.ts';

export interface VirtualHostsOptions {
  readonly environment: Pick<Environment, 'clock' | 'random'>;
  readonly catalog: Catalog;
  readonly sweeper: LogSweeper;
  readonly turns: Turns;
  readonly streams: Streams;
  readonly shards: readonly Shard[];
  /** For queues that do not outlive a restart. */
  readonly transientShard: Shard;
  readonly limits?: Partial<TopologyLimits>;
  readonly meters?: Meters;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Bytes of a virtual host's name, at most. */
const MAX_NAME_BYTES = 255;

/** All virtual hosts of the broker; `/` is there from the first start on. */
export class VirtualHosts {
  readonly #options: VirtualHostsOptions;
  readonly #counts: TopologyCounts;
  readonly #streams: StreamQueues;
  readonly #meters: Meters;
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #deletionListeners = new Set<(host: VirtualHost) => void>();

  private constructor(options: VirtualHostsOptions) {
    this.#options = options;
    this.#counts = new TopologyCounts(options.limits);
    this.#streams = new StreamQueues(options.streams);
    this.#meters = options.meters ?? new Meters();
  }

  static async open(options: VirtualHostsOptions): Promise<VirtualHosts> {
    const hosts = new VirtualHosts(options);
    const states = [...options.catalog.state.virtualHosts.values()];
    await Promise.all(
      states.map(async (state) => {
        hosts.#counts.add('virtual hosts');
        hosts.#hosts.set(state.name, await VirtualHost.open(state, hosts.#hostOptions(state)));
      }),
    );
    if (states.length === 0) await hosts.create(DEFAULT_VIRTUAL_HOST);
    options.streams.onDeleted(({ name }) => void hosts.#streamGone(name));
    return hosts;
  }

  get(name: string): VirtualHost | undefined {
    return this.#hosts.get(name);
  }

  names(): string[] {
    return [...this.#hosts.keys()];
  }

  all(): Iterable<VirtualHost> {
    return this.#hosts.values();
  }

  /** Answers the one that is there when there is one. Rejects with `invalid-argument` for a name, `limit-exceeded`. */
  async create(name: string, options: { readonly defaultQueueType?: QueueType } = {}): Promise<VirtualHost> {
    if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw new BrokerError('invalid-argument', `the name of a virtual host has 1 to ${MAX_NAME_BYTES} bytes`);
    let info: VirtualHostInfo | undefined;
    let made: VirtualHost | undefined;
    try {
      await this.#options.catalog.change(
        () => {
          made = this.#hosts.get(name);
          if (made !== undefined) return [];
          this.#counts.take('virtual hosts');
          info = this.#newHost(name, options.defaultQueueType ?? 'classic');
          return [{ type: 'virtual-host-created', info }];
        },
        () => {
          if (info === undefined) return;
          made = VirtualHost.create(info, this.#hostOptions(info));
          this.#hosts.set(name, made);
        },
      );
    } catch (error) {
      if (info !== undefined) this.#counts.release('virtual hosts');
      throw error;
    }
    if (made === undefined) throw new BrokerError('internal', 'the catalog made no virtual host');
    return made;
  }

  /** Deletes a virtual host with everything in it. Rejects with `not-found`. */
  async delete(name: string): Promise<void> {
    let host: VirtualHost | undefined;
    let removal: Removal | undefined;
    await this.#options.catalog.change(
      () => {
        host = this.#hosts.get(name);
        if (host === undefined) throw new BrokerError('not-found', `Virtual host '${name}' does not exist`);
        return [{ type: 'virtual-host-deleted', host: name }];
      },
      () => {
        this.#hosts.delete(name);
        this.#counts.release('virtual hosts');
        removal = host?.close();
      },
    );
    if (host === undefined || removal === undefined) return;
    this.#meters.gone.add(host.messageCounts);
    for (const listener of this.#deletionListeners) listener(host);
    this.#removed(removal);
    await this.#deleteStreams(removal);
    this.#options.sweeper.sweepSoon();
  }

  /** Is told of virtual hosts that were deleted: connections to them are to be closed. */
  onDeleted(listener: (host: VirtualHost) => void): void {
    this.#deletionListeners.add(listener);
  }

  /** The broker stops: what the queues know is made to last. Nobody may use them any more. */
  async close(): Promise<void> {
    const { turns, onTrouble } = this.#options;
    turns.flush();
    for (const host of this.#hosts.values()) {
      try {
        await host.stop();
      } catch (error) {
        onTrouble(toBrokerError(error), `queues of vhost '${host.name}' start as after a crash`);
      }
    }
  }

  #newHost(name: string, defaultQueueType: QueueType): VirtualHostInfo {
    const { random } = this.#options.environment;
    const shard = this.#hosts.size % this.#options.shards.length;
    return { id: random.uuid(), name, shard, defaultQueueType, delayedLogs: [random.uuid(), random.uuid()] };
  }

  #hostOptions({ name, shard }: VirtualHostInfo): VirtualHostOptions {
    const { sweeper: _, shards, limits: __, ...options } = this.#options;
    const home = shards[shard];
    if (home === undefined)
      throw new BrokerError('storage-damaged', `vhost '${name}' lives in shard ${shard}, which is not there`);
    return {
      ...options,
      streams: this.#streams,
      counts: this.#counts,
      meters: this.#meters,
      shard: home,
      onRemoved: (removal) => this.#removed(removal),
    };
  }

  /** Those that were declared as queues there. */
  async #deleteStreams({ queues }: Removal): Promise<void> {
    for (const entry of queues) {
      if (entry.kind !== 'stream' || isDiscovered(entry)) continue;
      try {
        await this.#streams.delete(entry.stream);
      } catch (error) {
        this.#options.onTrouble(toBrokerError(error), `stream '${entry.stream.stream.name}' stays`);
      }
    }
  }

  /** Deletes the logs of what is gone. Nobody waits for that. */
  #removed(removal: Removal): void {
    const { sweeper, transientShard, onTrouble } = this.#options;
    this.#meters.churn.queuesDeleted += removal.queues.size;
    let lasting = false;
    for (const entry of removal.queues) {
      if (entry.kind !== 'queue') continue;
      lasting ||= entry.durable;
      if (entry.durable) continue;
      for (const logId of entry.queue.logIds) {
        transientShard.delete(transientShard.log(logId)).catch((error: unknown) => {
          onTrouble(toBrokerError(error), `what was in queue '${entry.name}' takes memory until the next start`);
        });
      }
    }
    if (lasting) sweeper.sweepSoon();
  }

  async #streamGone(topic: string): Promise<void> {
    for (const host of [...this.#hosts.values()]) {
      try {
        await host.streamGone(topic);
      } catch (error) {
        this.#options.onTrouble(toBrokerError(error), `bindings to ${topic} in vhost '${host.name}' stay`);
      }
    }
  }
}
