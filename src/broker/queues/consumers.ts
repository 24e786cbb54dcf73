import { BrokerError } from '../../errors.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import type { Queue } from './queue.ts';

/** A consumer as its queue keeps it. */
export class QueueConsumer implements Consumer {
  readonly queue: Queue;
  readonly options: ConsumerOptions;
  readonly #list: Consumers;
  /** It stands in line for messages. */
  waiting = true;
  cancelled = false;

  constructor(queue: Queue, options: ConsumerOptions, list: Consumers) {
    this.queue = queue;
    this.options = options;
    this.#list = list;
  }

  get active(): boolean {
    return this.#list.isActive(this);
  }

  wake(): void {
    this.#list.wake(this);
  }

  cancel(): void {
    this.#list.cancel(this);
  }
}

/** Those of one priority that can take messages, in turn. */
class Line {
  readonly priority: number;
  #consumers: QueueConsumer[] = [];
  #head = 0;

  constructor(priority: number) {
    this.priority = priority;
  }

  push(consumer: QueueConsumer): void {
    this.#consumers.push(consumer);
  }

  /** The next that can take a message, put at the end of the line; those who cannot leave it until they are woken. */
  next(): QueueConsumer | undefined {
    for (;;) {
      const consumer = this.#consumers[this.#head];
      if (consumer === undefined) return undefined;
      if (!consumer.cancelled && consumer.options.canTake()) {
        // Alone in line, it stays where it is.
        if (this.#consumers.length - this.#head > 1) {
          this.#shift();
          this.#consumers.push(consumer);
        }
        return consumer;
      }
      this.#shift();
      consumer.waiting = false;
    }
  }

  remove(consumer: QueueConsumer): void {
    const at = this.#consumers.indexOf(consumer, this.#head);
    if (at >= 0) this.#consumers.splice(at, 1);
  }

  #shift(): void {
    this.#head++;
    if (this.#head * 2 < this.#consumers.length) return;
    this.#consumers = this.#consumers.slice(this.#head);
    this.#head = 0;
  }
}

/** The consumers of one queue: who is served next. Higher priorities first, in turn within one. */
export class Consumers {
  readonly #queue: Queue;
  /** One may take messages that could not before. */
  readonly #onWake: () => void;
  readonly #onEmpty: () => void;
  /** In the order they came. */
  readonly #all = new Set<QueueConsumer>();
  /** Highest priority first. */
  #lines: Line[] = [];
  #singleActive = false;
  #active: QueueConsumer | undefined;

  constructor(queue: Queue, onWake: () => void, onEmpty: () => void) {
    this.#queue = queue;
    this.#onWake = onWake;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<QueueConsumer> {
    return this.#all.values();
  }

  set singleActive(singleActive: boolean) {
    this.#singleActive = singleActive;
    this.#choose();
  }

  add(options: ConsumerOptions): QueueConsumer {
    const [first] = this.#all;
    const alone = options.exclusive && (first !== undefined || this.#singleActive);
    if (alone || first?.options.exclusive === true)
      throw new BrokerError(
        'access-refused',
        `queue '${this.#queue.name}' in vhost '${this.#queue.virtualHost}' in exclusive use`,
      );
    const consumer = new QueueConsumer(this.#queue, options, this);
    this.#all.add(consumer);
    this.#line(options.priority).push(consumer);
    this.#choose();
    this.#onWake();
    return consumer;
  }

  isActive(consumer: QueueConsumer): boolean {
    return !this.#singleActive || this.#active === consumer;
  }

  /** Who gets the next message; undefined when nobody can take one. */
  next(): QueueConsumer | undefined {
    if (this.#singleActive) {
      const active = this.#active;
      if (active === undefined || active.options.canTake()) return active;
      active.waiting = false;
      return undefined;
    }
    for (const line of this.#lines) {
      const consumer = line.next();
      if (consumer !== undefined) return consumer;
    }
    return undefined;
  }

  wake(consumer: QueueConsumer): void {
    if (consumer.waiting || consumer.cancelled) return;
    consumer.waiting = true;
    if (!this.#singleActive) this.#line(consumer.options.priority).push(consumer);
    this.#onWake();
  }

  cancel(consumer: QueueConsumer): void {
    if (consumer.cancelled) return;
    consumer.cancelled = true;
    this.#all.delete(consumer);
    this.#line(consumer.options.priority).remove(consumer);
    if (this.#active === consumer) {
      this.#active = undefined;
      this.#choose();
      this.#onWake();
    }
    if (this.#all.size === 0) this.#onEmpty();
  }

  /** The queue is gone: tells them all. */
  cancelAll(): void {
    const all = [...this.#all];
    this.#all.clear();
    this.#lines = [];
    this.#active = undefined;
    for (const consumer of all) consumer.cancelled = true;
    for (const consumer of all) consumer.options.cancelled();
  }

  /** Of a single-active-consumer queue: the one that came first stays it until it goes. */
  #choose(): void {
    if (!this.#singleActive) {
      this.#active = undefined;
      return;
    }
    if (this.#active !== undefined) return;
    for (const consumer of this.#all)
      if (this.#active === undefined || consumer.options.priority > this.#active.options.priority)
        this.#active = consumer;
    this.#active?.options.activated?.(true);
  }

  #line(priority: number): Line {
    let line = this.#lines.find((each) => each.priority === priority);
    if (line === undefined) {
      line = new Line(priority);
      this.#lines = [...this.#lines, line].sort((a, b) => b.priority - a.priority);
    }
    return line;
  }
}
