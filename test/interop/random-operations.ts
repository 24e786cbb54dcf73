import { type ConfirmChannel, type ConsumeMessage, connect, type GetMessage } from 'amqplib';
import { SeededRandom } from '../../src/environment/seeded-random.ts';

const QUEUES = 4;
/** What a broker may need for what it sends by itself. */
const QUIET_MS = 25;

type Arguments = Readonly<Record<string, unknown>>;

const EXCHANGES = [
  ['direct', 'direct'],
  ['fanout', 'fanout'],
  ['topic', 'topic'],
  ['headers', 'headers'],
] as const;

const KEYS = ['a', 'a.b', 'b', '*.b', '#', 'a.#'] as const;

/** Does the same to whatever broker it is told, by seed, and tells what a client sees of it. Nothing in it depends on time. */
export class RandomOperations {
  readonly log: string[] = [];
  readonly #random: SeededRandom;
  readonly #prefix: string;
  readonly #open: () => Promise<ConfirmChannel>;
  #channel: ConfirmChannel;
  #unacknowledged: { readonly message: GetMessage; readonly queue: string }[] = [];
  #consumers: string[] = [];
  #published = 0;
  #closed: Promise<string> = Promise.resolve('');

  private constructor(seed: number, prefix: string, channel: ConfirmChannel, open: () => Promise<ConfirmChannel>) {
    this.#random = new SeededRandom(seed);
    this.#prefix = prefix;
    this.#open = open;
    this.#channel = channel;
    this.#watch();
  }

  /** Answers what was seen. */
  static async run(url: string, seed: number, steps: number, prefix: string): Promise<readonly string[]> {
    const connection = await connect(url);
    connection.on('error', () => {});
    const open = () => connection.createConfirmChannel();
    const operations = new RandomOperations(seed, prefix, await open(), open);
    try {
      await operations.#declareAll();
      for (let step = 0; step < steps; step++) await operations.#step();
      await operations.#drainAll();
    } finally {
      await operations.#clear();
      await connection.close();
    }
    return operations.log.map((line) => line.replaceAll(prefix, ''));
  }

  #watch(): void {
    const channel = this.#channel;
    this.#closed = new Promise((resolve) => channel.on('error', (error: Error) => resolve(error.message)));
    channel.on('return', (message: ConsumeMessage) => this.#say('returned', describe(message)));
  }

  #say(...words: unknown[]): void {
    this.log.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
  }

  #name(name: string): string {
    return this.#prefix + name;
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[this.#random.below(list.length)];
    if (one === undefined) throw new Error('nothing to choose from');
    return one;
  }

  #queue(): string {
    return this.#name(`q${this.#random.below(QUEUES)}`);
  }

  #exchange(): string {
    return this.#name(this.#pick(EXCHANGES)[0]);
  }

  #argumentsOf(index: number): Arguments {
    const random = this.#random;
    if (index === 0) return {};
    return {
      ...(random.chance(0.6) && {
        'x-dead-letter-exchange': random.chance(0.5) ? '' : this.#name('fanout'),
        ...(random.chance(0.6) && { 'x-dead-letter-routing-key': this.#name('q0') }),
      }),
      ...(random.chance(0.4) && { 'x-max-length': 1 + random.below(4) }),
      ...(random.chance(0.2) && { 'x-max-length-bytes': 5 + random.below(30) }),
      ...(random.chance(0.3) && { 'x-overflow': this.#pick(['drop-head', 'reject-publish', 'reject-publish-dlx']) }),
      ...(random.chance(0.3) && { 'x-max-priority': 3 }),
      ...(random.chance(0.2) && { 'x-single-active-consumer': true }),
    };
  }

  async #declareAll(): Promise<void> {
    for (const [name, type] of EXCHANGES) await this.#channel.assertExchange(this.#name(name), type);
    for (let i = 0; i < QUEUES; i++) await this.#declare(i);
  }

  async #declare(index: number): Promise<void> {
    const args = this.#argumentsOf(index);
    await this.#try(['declare', index, args], () =>
      this.#channel.assertQueue(this.#name(`q${index}`), { durable: true, arguments: args }),
    );
  }

  /** One operation; an error closes the channel, and another is opened. */
  async #try(what: readonly unknown[], action: () => Promise<unknown>): Promise<void> {
    this.#say(...what);
    try {
      const answer = await action();
      if (answer !== undefined) this.#say('  answer', answer);
    } catch {
      this.#say('  error', await this.#closed);
      this.#unacknowledged = [];
      this.#consumers = [];
      this.#channel = await this.#open();
      this.#watch();
      await quiet();
    }
    if (this.#consumers.length > 0) await quiet();
  }

  async #step(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 40) await this.#publish();
    else if (dice < 55) await this.#get();
    else if (dice < 72) await this.#settle();
    else if (dice < 76) await this.#consume();
    else if (dice < 79) await this.#cancel();
    else if (dice < 84) await this.#bind();
    else if (dice < 92) {
      const queue = this.#queue();
      await this.#try(['check', queue], () => this.#channel.checkQueue(queue));
    } else if (dice < 94) {
      const queue = this.#queue();
      await this.#try(['purge', queue], () => this.#channel.purgeQueue(queue));
    } else if (dice < 96) {
      const queue = this.#queue();
      const how = this.#pick([{}, { ifEmpty: true }, { ifUnused: true }]);
      await this.#try(['delete', queue, how], () => this.#channel.deleteQueue(queue, how));
    } else await this.#declare(this.#random.below(QUEUES));
  }

  async #publish(): Promise<void> {
    const random = this.#random;
    const toQueue = random.chance(0.6);
    const exchange = toQueue ? '' : this.#exchange();
    const key = toQueue ? this.#queue() : this.#pick(KEYS);
    const options = {
      mandatory: random.chance(0.5),
      persistent: random.chance(0.5),
      ...(random.chance(0.3) && { priority: random.below(6) }),
      ...(random.chance(0.2) && { CC: this.#queue() }),
      ...(random.chance(0.3) && { headers: { h: random.below(2) } }),
    };
    const body = `m${this.#published++}`.padEnd(3 + random.below(8), '.');
    await this.#try(['publish', exchange, key, options, body], async () => {
      let nacked = false;
      await new Promise<void>((resolve, reject) => {
        void this.#closed.then(() => reject(new Error('closed')));
        this.#channel.publish(exchange, key, Buffer.from(body), options, (error) => {
          nacked = error !== null && error !== undefined;
          resolve();
        });
      });
      // What dies goes on behind the confirm.
      await quiet();
      return nacked ? 'nacked' : undefined;
    });
  }

  async #get(): Promise<void> {
    const queue = this.#queue();
    const noAck = this.#random.chance(0.3);
    await this.#try(['get', queue, noAck ? 'noAck' : ''], async () => {
      const message = await this.#channel.get(queue, { noAck });
      if (message === false) return 'nothing';
      if (!noAck) this.#unacknowledged.push({ message, queue });
      return [describe(message), message.fields.messageCount];
    });
  }

  async #settle(): Promise<void> {
    const random = this.#random;
    const [each] = this.#unacknowledged.splice(random.below(this.#unacknowledged.length), 1);
    if (each === undefined) return;
    const { message } = each;
    const multiple = random.chance(0.15);
    const how = this.#pick(['ack', 'requeue', 'reject'] as const);
    await this.#try([how, message.content.toString(), multiple], async () => {
      if (how === 'ack') this.#channel.ack(message, multiple);
      else this.#channel.nack(message, multiple, how === 'requeue');
      if (multiple)
        this.#unacknowledged = this.#unacknowledged.filter(
          (other) => other.message.fields.deliveryTag > message.fields.deliveryTag,
        );
      await quiet();
    });
  }

  async #consume(): Promise<void> {
    const queue = this.#queue();
    const prefetch = 1 + this.#random.below(3);
    const options = { noAck: this.#random.chance(0.2), exclusive: this.#random.chance(0.1) };
    const consumerTag = `c${this.log.length}`;
    await this.#try(['consume', queue, prefetch, options], async () => {
      await this.#channel.prefetch(prefetch);
      await this.#channel.consume(
        queue,
        (message) => {
          this.#say('  delivered', consumerTag, message === null ? 'cancelled' : describe(message));
          if (message !== null && !options.noAck)
            this.#unacknowledged.push({ message: message as unknown as GetMessage, queue });
        },
        { ...options, consumerTag },
      );
      this.#consumers.push(consumerTag);
    });
  }

  async #cancel(): Promise<void> {
    const [tag] = this.#consumers.splice(0, 1);
    if (tag !== undefined) await this.#try(['cancel', tag], async () => void (await this.#channel.cancel(tag)));
  }

  async #bind(): Promise<void> {
    const [queue, exchange, key] = [this.#queue(), this.#exchange(), this.#pick(KEYS)];
    const args = this.#random.chance(0.5) ? { 'x-match': this.#pick(['all', 'any']), h: this.#random.below(2) } : {};
    const binds = this.#random.chance(0.7);
    await this.#try([binds ? 'bind' : 'unbind', queue, exchange, key, args], async () => {
      if (binds) await this.#channel.bindQueue(queue, exchange, key, args);
      else await this.#channel.unbindQueue(queue, exchange, key, args);
    });
  }

  /** All that is left. */
  async #drainAll(): Promise<void> {
    await this.#channel.recover();
    for (const tag of this.#consumers.splice(0)) await this.#channel.cancel(tag);
    await this.#channel.recover();
    await quiet();
    for (let i = 0; i < QUEUES; i++) {
      const queue = this.#name(`q${i}`);
      let more = true;
      while (more)
        await this.#try(['drain', queue], async () => {
          more = false;
          const message = await this.#channel.get(queue, { noAck: true });
          more = message !== false;
          return message === false ? 'nothing' : describe(message);
        });
    }
  }

  async #clear(): Promise<void> {
    const channel = await this.#open();
    for (let i = 0; i < QUEUES; i++) await channel.deleteQueue(this.#name(`q${i}`));
    for (const [name] of EXCHANGES) await channel.deleteExchange(this.#name(name));
  }
}

const quiet = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

/** Everything of a message but when it was, and what only later versions of RabbitMQ say: where it died last. */
function describe({ content, fields, properties }: ConsumeMessage | GetMessage): unknown {
  const { redelivered, exchange, routingKey } = fields;
  const { headers, priority, deliveryMode } = properties;
  const known = withoutTimes(Object.entries(headers ?? {}).filter(([name]) => !name.startsWith('x-last-death-')));
  return [content.toString(), redelivered, exchange, routingKey, known, priority, deliveryMode];
}

/** By name; the order says nothing. */
function withoutTimes(entries: readonly (readonly [string, unknown])[]): unknown {
  const sorted = entries.filter(([name]) => name !== 'time').toSorted(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(sorted.map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'object' && value !== null ? withoutTimes(Object.entries(value)) : value;
}
