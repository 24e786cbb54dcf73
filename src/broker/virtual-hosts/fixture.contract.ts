import { onTestFinished } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { BrokerError } from '../../errors.ts';
import { CommitLogMemory, MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { Catalog } from '../catalog/catalog.ts';
import { LogSweeper } from '../catalog/log-sweeper.ts';
import {
  decodeProperties,
  EMPTY_TABLE,
  encodeProperties,
  type Field,
  type FieldTable,
  integer,
  longString,
  MessageBytes,
  type Properties,
} from '../messages/index.ts';
import { BrokerTurns } from '../queues/turns.ts';
import { Streams } from '../streams/streams.ts';
import type { ExchangeDeclaration } from './exchange-entry.ts';
import type { TopologyLimits } from './limits.ts';
import type { QueueDeclaration, QueueEntry } from './queue-entry.ts';
import type { VirtualHost } from './virtual-host.ts';
import { VirtualHosts } from './virtual-hosts.ts';

/** A message as a test looks at it. */
export interface SeenMessage {
  readonly body: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
}

/** Arguments of plain values: integers and texts; other fields as they are. */
export function args(values: Readonly<Record<string, number | string | boolean | Field>>): FieldTable {
  return new Map(
    Object.entries(values).map(([name, value]) => {
      if (typeof value === 'number') return [name, integer(value)];
      if (typeof value === 'boolean') return [name, { type: 't', value }];
      return [name, typeof value === 'string' ? longString(value) : value];
    }),
  );
}

/** Code and text of what the attempt throws. */
export async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof BrokerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

/** Virtual hosts over a shard in memory, which outlives them. */
export class HostFixture {
  readonly clock = new VirtualClock();
  readonly random = new SeededRandom(1);
  readonly troubles: string[] = [];
  readonly #memory = new CommitLogMemory();
  readonly #store = new MemorySegmentStore();
  catalog!: Catalog; // These are there as soon as it is started.
  streams!: Streams;
  turns!: BrokerTurns;
  hosts!: VirtualHosts;
  shard!: Shard;
  transientShard!: Shard;
  #limits: Partial<TopologyLimits> = {};

  static async start(limits: Partial<TopologyLimits> = {}): Promise<HostFixture> {
    const fixture = new HostFixture();
    fixture.#limits = limits;
    await fixture.#open();
    onTestFinished(() => fixture.#close());
    return fixture;
  }

  get host(): VirtualHost {
    const host = this.hosts.get('/');
    if (host === undefined) throw new Error("there is no vhost '/'");
    return host;
  }

  /** Ends everything, in order or not, and starts again. */
  async restart(how: 'close' | 'crash' = 'close'): Promise<void> {
    await this.settled();
    if (how === 'close') await this.hosts.close();
    await this.#close();
    await this.#open();
  }

  declare(name: string, more: Partial<QueueDeclaration> = {}): Promise<QueueEntry> {
    const plain = { durable: true, exclusive: false, autoDelete: false, arguments: EMPTY_TABLE };
    return this.host.declareQueue({ name, ...plain, ...more });
  }

  exchange(name: string, type: string, more: Partial<ExchangeDeclaration> = {}) {
    const plain = { durable: true, autoDelete: false, internal: false, arguments: EMPTY_TABLE };
    return this.host.declareExchange({ name, type, ...plain, ...more });
  }

  bind(queue: string, exchange: string, key = '', bindingArgs = EMPTY_TABLE): Promise<boolean> {
    return this.host.bindQueue(queue, exchange, key, bindingArgs);
  }

  /** Publishes a persistent message. */
  publish(exchange: string, key: string, body: string, properties: Properties = {}) {
    const message = MessageBytes.of(
      exchange,
      key,
      encodeProperties({ deliveryMode: 2, ...properties }),
      Buffer.from(body),
    );
    return this.host.publish(this.turns.current, exchange, message);
  }

  /** Takes all messages out of a queue. */
  async drain(name: string): Promise<SeenMessage[]> {
    await this.settled();
    const entry = this.host.checkQueue(name);
    if (entry.kind !== 'queue') throw new Error(`${name} is a stream`);
    const seen: SeenMessage[] = [];
    while (await entry.queue.get(true, (_, message) => seen.push(seenMessage(message))));
    await this.settled();
    return seen;
  }

  async bodies(name: string): Promise<string[]> {
    return (await this.drain(name)).map(({ body }) => body);
  }

  /** Resolves when nothing is in flight. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 4; ) {
      quiet = this.turns.idle && this.shard.idle && this.transientShard.idle ? quiet + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #open(): Promise<void> {
    const { clock, random } = this;
    const onTrouble = (error: BrokerError, what: string) => this.troubles.push(`${what}: ${error.message}`);
    const open = (memory: CommitLogMemory, store: MemorySegmentStore) =>
      Shard.open({
        commitLog: new MemoryCommitLog(memory),
        store,
        clock,
        random,
        settings: { minFreeBytes: 0 },
        onTrouble,
      });
    const shard = await open(this.#memory, this.#store);
    const transientShard = await open(new CommitLogMemory(), new MemorySegmentStore());
    const now = () => clock.now();
    const catalog = await Catalog.open({ shard, now, onTrouble });
    const shards = [shard];
    const sweeper = new LogSweeper({ catalog, shards, clock, onTrouble });
    const uuid = () => random.uuid();
    const streams = await Streams.open({ catalog, shards, sweeper, now, uuid, defaults: {}, onTrouble });
    const turns = new BrokerTurns({ clock, shards: [shard, transientShard], onTrouble });
    const hosts = await VirtualHosts.open({
      environment: { clock, random },
      ...{ catalog, sweeper, turns, streams, shards, transientShard, onTrouble },
      limits: this.#limits,
    });
    Object.assign(this, { shard, transientShard, catalog, streams, turns, hosts });
  }

  async #close(): Promise<void> {
    // So that timers of this life fire no more.
    for (const host of this.hosts.all())
      for (const entry of host.queues()) if (entry.kind === 'queue') entry.queue.delete();
    await Promise.all([this.shard.close(), this.transientShard.close()]);
  }
}

export function seenMessage(message: MessageBytes): SeenMessage {
  const { properties, propertiesStart, propertiesEnd, body, bodyStart, bodyEnd, exchange, routingKey } = message;
  return {
    body: body.toString('utf8', bodyStart, bodyEnd),
    exchange,
    routingKey,
    properties: decodeProperties(properties, propertiesStart, propertiesEnd),
  };
}
