import type {
  Consumer,
  ConsumerOptions,
  Delivery,
  FieldTable,
  HeldMessage,
  MessageBytes,
  Participant,
} from '../../broker/index.ts';
import { ChannelMeter } from './channel-meter.ts';
import { withDeliveryCount } from './delivery-count.ts';
import { AmqpError } from './errors.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** A message that is out, until one of its three ends. */
export type Settleable = Pick<Delivery, 'acknowledge' | 'requeue' | 'reject'>;

export type Settlement = keyof Settleable;

type Delivered = Settleable & Pick<Delivery, 'redelivered' | 'deliveryCount'>;

/** What a consumer subscribed to: a queue, or a stream. */
export type Subscription = Pick<Consumer, 'wake' | 'cancel'> & Partial<Pick<Consumer, 'active'>>;

/** Where deliveries are written to. */
export interface DeliveryOutput {
  /** So much waits to be written that nothing more should. */
  readonly congested: boolean;
  /** Calls back once, when it is not congested any more. */
  onRelieved(callback: () => void): void;
  deliver(consumerTag: Buffer, deliveryTag: number, redelivered: boolean, message: MessageBytes): void;
  /** Tells the client that a consumer is no more. */
  consumerCancelled(consumerTag: string): void;
}

export interface ConsumeOptions {
  readonly tag: string;
  /** Name of the queue, and what came with `basic.consume`: only for people. */
  readonly queue: string;
  readonly arguments: FieldTable;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  /** Messages that may be out at a time; 0 for no limit. */
  readonly prefetch: number;
  /** Messages say how often they were delivered before. */
  readonly countsDeliveries: boolean;
  /** Who it is, for traces. */
  readonly participant?: Participant | undefined;
}

/** A consumer tag as it is written. */
export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** One consumer of a channel. */
export class ChannelConsumer implements ConsumerOptions {
  readonly tag: string;
  readonly queue: string;
  readonly arguments: FieldTable;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly prefetch: number;
  /** As it stands in `basic.deliver`: a short string. */
  readonly tagBytes: Buffer;
  readonly countsDeliveries: boolean;
  readonly participant: Participant | undefined;
  readonly deliver: (delivery: Delivered, message: MessageBytes) => void;
  subscription: Subscription | undefined;
  /** Messages that are out. */
  outstanding = 0;
  /** It could have had a message, but had as many as it may. */
  #starved = false;
  /** Likewise, but its channel or its connection could not take one. */
  held = false;

  readonly #consumers: Consumers;

  constructor(consumers: Consumers, options: ConsumeOptions) {
    const { tag, noAck, exclusive, priority, prefetch, countsDeliveries } = options;
    this.#consumers = consumers;
    this.tag = tag;
    this.queue = options.queue;
    this.arguments = options.arguments;
    this.noAck = noAck;
    this.exclusive = exclusive;
    this.priority = priority;
    this.countsDeliveries = countsDeliveries;
    this.participant = options.participant;
    this.prefetch = noAck ? 0 : prefetch;
    this.tagBytes = shortString(tag);
    this.deliver = (delivery, message) => consumers.deliver(this, delivery, message);
  }

  canTake(): boolean {
    if (this.prefetch > 0 && this.outstanding >= this.prefetch) {
      this.#starved = true;
      return false;
    }
    return this.#consumers.canTake(this);
  }

  cancelled(): void {
    this.#consumers.lost(this);
  }

  /** One of its messages is settled. */
  released(): void {
    this.outstanding--;
    if (!this.#starved || this.outstanding >= this.prefetch) return;
    this.#starved = false;
    this.subscription?.wake();
  }
}

/** The consumers of one channel, what they may be given, and what was delivered and is not settled. */
export class Consumers {
  /** For consumers to come. */
  prefetch = 0;
  readonly meter: ChannelMeter;

  readonly #output: DeliveryOutput;
  /** Of the channel; more than that nobody may have, whatever they ask for. */
  readonly #maxUnacknowledged: number;
  readonly #byTag = new Map<string, ChannelConsumer>();
  /** What `basic.get` took has no consumer. */
  readonly #unacknowledged = new Unacknowledged<Settleable, ChannelConsumer | undefined>();
  /** Those who are to be woken when the channel or the connection can take messages again. */
  #held: ChannelConsumer[] = [];
  #lastDeliveryTag = 0;
  /** Messages of the consumers that are out. */
  #outstanding = 0;
  /** Of all consumers together; 0 for no limit. */
  #channelPrefetch = 0;
  #flowing = true;
  #watching = false;
  #closed = false;
  readonly #relieved = () => {
    this.#watching = false;
    this.#wakeHeld();
  };

  constructor(output: DeliveryOutput, maxUnacknowledged: number, meter = new ChannelMeter()) {
    this.meter = meter;
    this.#output = output;
    this.#maxUnacknowledged = maxUnacknowledged;
  }

  get size(): number {
    return this.#byTag.size;
  }

  all(): Iterable<ChannelConsumer> {
    return this.#byTag.values();
  }

  get unacknowledgedCount(): number {
    return this.#unacknowledged.count;
  }

  /** The messages of a queue that are out. */
  *held(queue: string): Generator<HeldMessage> {
    for (const [delivery, consumer] of this.#unacknowledged.all())
      if (isOfQueue(delivery) && delivery.queue.name === queue)
        yield { lane: delivery.lane, offset: delivery.offset, consumer: consumer?.tag };
  }

  has(tag: string): boolean {
    return this.#byTag.has(tag);
  }

  /** Registers a consumer; `subscribe` has the messages come. What that throws leaves no consumer behind. */
  add(options: ConsumeOptions, subscribe: (consumer: ChannelConsumer) => Subscription): void {
    const consumer = new ChannelConsumer(this, options);
    consumer.subscription = subscribe(consumer);
    this.#byTag.set(options.tag, consumer);
  }

  /** False when there is no such consumer. What it has stays with the channel. */
  cancel(tag: string): boolean {
    const consumer = this.#byTag.get(tag);
    if (consumer === undefined) return false;
    this.#byTag.delete(tag);
    consumer.subscription?.cancel();
    return true;
  }

  get channelPrefetch(): number {
    return this.#channelPrefetch;
  }

  set channelPrefetch(limit: number) {
    this.#channelPrefetch = limit;
    this.#wakeHeld();
  }

  set flowing(flowing: boolean) {
    this.#flowing = flowing;
    this.#wakeHeld();
  }

  get #isFull(): boolean {
    if (this.#channelPrefetch > 0 && this.#outstanding >= this.#channelPrefetch) return true;
    return this.#unacknowledged.count >= this.#maxUnacknowledged;
  }

  /** Asked by a consumer that could take a message for its own part. */
  canTake(consumer: ChannelConsumer): boolean {
    if (this.#closed) return false;
    const full = !consumer.noAck && this.#isFull;
    const { congested } = this.#output;
    if (this.#flowing && !full && !congested) return true;
    if (!consumer.held) {
      consumer.held = true;
      this.#held.push(consumer);
    }
    if (congested && !this.#watching) {
      this.#watching = true;
      this.#output.onRelieved(this.#relieved);
    }
    return false;
  }

  deliver(consumer: ChannelConsumer, delivery: Delivered, message: MessageBytes): void {
    const tag = ++this.#lastDeliveryTag;
    if (!consumer.noAck) {
      this.#unacknowledged.add(tag, delivery, consumer);
      consumer.outstanding++;
      this.#outstanding++;
    }
    this.meter.delivered(consumer.noAck, delivery.redelivered, message.bodyLength);
    const counted = consumer.countsDeliveries ? withDeliveryCount(message, delivery.deliveryCount) : message;
    this.#output.deliver(consumer.tagBytes, tag, delivery.redelivered, counted);
  }

  /** A message without a consumer: of `basic.get`, or a direct reply. Answers its delivery tag. Throws `RESOURCE_ERROR` beyond the limit. */
  took(delivery: Settleable | undefined): number {
    if (delivery !== undefined && this.#unacknowledged.count >= this.#maxUnacknowledged) {
      delivery.requeue();
      throw new AmqpError('RESOURCE_ERROR', `more than ${this.#maxUnacknowledged} unacknowledged messages`);
    }
    const tag = ++this.#lastDeliveryTag;
    if (delivery !== undefined) this.#unacknowledged.add(tag, delivery, undefined);
    return tag;
  }

  /** Whoever the consumer got its messages from has none any more. */
  lost(consumer: ChannelConsumer): void {
    if (this.#byTag.get(consumer.tag) !== consumer) return;
    this.#byTag.delete(consumer.tag);
    this.#output.consumerCancelled(consumer.tag);
  }

  /** Takes a delivery out, or all up to it (with tag 0: all), oldest first. Throws when there is none with this tag. */
  take(
    tag: number,
    multiple: boolean,
    visit: (delivery: Settleable, consumer: ChannelConsumer | undefined, tag: number) => void,
  ): void {
    if (multiple && tag === 0) this.#unacknowledged.takeAll(visit);
    else if (!(multiple ? this.#unacknowledged.takeUpTo(tag, visit) : this.#unacknowledged.take(tag, visit)))
      throw new AmqpError('PRECONDITION_FAILED', `unknown delivery tag ${tag}`);
  }

  /** Puts back what `take` took. */
  restore(taken: Parameters<Unacknowledged<Settleable, ChannelConsumer | undefined>['restore']>[0]): void {
    this.#unacknowledged.restore(taken);
  }

  /** A delivery is settled, of the consumer where it had one: there is room for another. */
  released(consumer: ChannelConsumer | undefined): void {
    if (consumer !== undefined) {
      this.#outstanding--;
      consumer.released();
    }
    if (this.#held.length > 0 && !this.#isFull && !this.#output.congested) this.#wakeHeld();
  }

  readonly #acknowledge = (delivery: Settleable, consumer: ChannelConsumer | undefined) => {
    delivery.acknowledge();
    this.meter.acknowledged();
    this.released(consumer);
  };

  readonly #requeue = (delivery: Settleable, consumer: ChannelConsumer | undefined) => {
    delivery.requeue();
    this.meter.settled('requeue');
    this.released(consumer);
  };

  readonly #reject = (delivery: Settleable, consumer: ChannelConsumer | undefined) => {
    delivery.reject();
    this.meter.settled('reject');
    this.released(consumer);
  };

  acknowledge(tag: number, multiple: boolean): void {
    this.take(tag, multiple, this.#acknowledge);
  }

  requeue(tag: number, multiple: boolean): void {
    this.take(tag, multiple, this.#requeue);
  }

  reject(tag: number, multiple: boolean): void {
    this.take(tag, multiple, this.#reject);
  }

  /** The channel is gone: nothing comes any more, and what is out goes back. */
  close(): void {
    this.#closed = true;
    for (const { subscription } of this.#byTag.values()) subscription?.cancel();
    this.#byTag.clear();
    this.#held = [];
    this.#unacknowledged.takeAll((delivery) => delivery.requeue());
  }

  #wakeHeld(): void {
    if (this.#closed || this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const consumer of held) {
      consumer.held = false;
      consumer.subscription?.wake();
    }
  }
}

/** What streams and direct replies deliver is in no queue. */
function isOfQueue(delivery: Settleable): delivery is Delivery {
  return 'queue' in delivery && 'lane' in delivery;
}
