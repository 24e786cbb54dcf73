import { setTimeout as delay } from 'node:timers/promises';
import { BrokerRun } from '../broker-run.ts';
import type { Peer } from '../peers/peer.ts';
import { AmqpConnection } from './connection.ts';
import { ConsumeLoad, type ConsumeLoadOptions } from './consume-load.ts';
import { dealt } from './dealt.ts';
import { METHOD, octet, short, shortString, table } from './frames.ts';
import { PublishLoad, type PublishLoadOptions } from './publish-load.ts';
import type { AmqpWork } from './work.ts';

const EXCHANGE = 'bench';
const PASSIVE = 1;
const DURABLE = 2;
/** Declarations that one connection has under way. */
const UNDER_WAY = 100;
/** Connections that are opened at a time: brokers keep so many waiting. */
const OPENED_AT_ONCE = 50;
const EMPTY_TRIES = 100;
const EMPTY_WAIT_MS = 100;

export type PublishOptions = Partial<Pick<PublishLoadOptions, 'messages' | 'confirmLatency'>>;
export type ConsumeOptions = Partial<Pick<ConsumeLoadOptions, 'latency' | 'onDelivered' | 'onConsumed' | 'budget'>>;

/** One broker with its queues, as a bench uses it. */
export class AmqpSession {
  readonly run: BrokerRun;
  readonly queues: readonly string[];
  readonly #work: AmqpWork;

  private constructor(run: BrokerRun, work: AmqpWork) {
    this.run = run;
    this.#work = work;
    // Of one length, so that messages to each are, too.
    this.queues = Array.from({ length: work.queues }, (_, index) => `bench-${String(index).padStart(6, '0')}`);
  }

  /** Does something with a broker that has nothing yet; the broker is stopped in the end. */
  static use<T>(peer: Peer, directory: string, work: AmqpWork, body: (session: AmqpSession) => Promise<T>): Promise<T> {
    return BrokerRun.use(peer, directory, (run) => body(new AmqpSession(run, work)));
  }

  /** Declares all queues, durable, with many declarations under way at a time, and what publishes to them. */
  async declare(): Promise<void> {
    await this.#withConnection(async (connection) => {
      const { queueType, exchange } = this.#work;
      const type = table({ 'x-queue-type': queueType });
      await inBatches(this.queues, (queue) =>
        connection.call(METHOD.queueDeclare, METHOD.queueDeclareOk, short(0), shortString(queue), octet(DURABLE), type),
      );
      if (exchange === 'default') return;
      const declaration = [short(0), shortString(EXCHANGE), shortString('fanout'), octet(DURABLE), table({})];
      await connection.call(METHOD.exchangeDeclare, METHOD.exchangeDeclareOk, ...declaration);
      await inBatches(this.queues, (queue) =>
        connection.call(
          METHOD.queueBind,
          METHOD.queueBindOk,
          short(0),
          shortString(queue),
          shortString(EXCHANGE),
          shortString(''),
          octet(0),
          table({}),
        ),
      );
    });
  }

  /** Messages that wait in all queues, those left out that consumers have. */
  waiting(): Promise<number> {
    return this.#withConnection(async (connection) => {
      const counts = await inBatches(this.queues, async (queue) => {
        const declaration = [short(0), shortString(queue), octet(PASSIVE), table({})];
        const declared = await connection.call(METHOD.queueDeclare, METHOD.queueDeclareOk, ...declaration);
        return declared.readUInt32BE(1 + (declared[0] ?? 0));
      });
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  /** Waits until so many messages are in the queues; brokers may count a moment late. */
  async expectWaiting(expected: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      const found = await this.waiting();
      if (found === expected) return;
      if (tries === EMPTY_TRIES) throw new Error(`${found} messages are in the queues, ${expected} should be`);
      await delay(EMPTY_WAIT_MS);
    }
  }

  /** Loads that publish to all queues, each on a connection of its own; not started. Rate and messages are those of all. */
  publishLoads(options: PublishOptions = {}): Promise<PublishLoad[]> {
    const { exchange, connections, rate, messages, ...work } = this.#work;
    const all = { ...work, rate, messages, ...options };
    return this.run.open(dealt(connections, this.queues.length), (queues, publisher) =>
      PublishLoad.open({
        ...all,
        ...this.run.broker.address,
        publisher,
        exchange: exchange === 'fanout' ? EXCHANGE : '',
        routingKeys: exchange === 'fanout' ? [''] : queues.map((queue) => this.queues[queue] ?? ''),
        rate: all.rate / connections,
        messages: share(all.messages, connections, publisher),
        onFailed: this.run.fail,
      }),
    );
  }

  /** Loads that consume from all queues, each on a connection of its own; not started. */
  consumeLoads(options: ConsumeOptions = {}, connections = this.#work.connections): Promise<ConsumeLoad[]> {
    const open = atMost(OPENED_AT_ONCE);
    return this.run.open(dealt(connections, this.queues.length), (queues) =>
      open(() =>
        ConsumeLoad.open({
          ...this.#work,
          ...options,
          ...this.run.broker.address,
          queues: queues.map((queue) => this.queues[queue] ?? ''),
          publishers: this.#work.connections,
          onFailed: this.run.fail,
        }),
      ),
    );
  }

  async #withConnection<T>(body: (connection: AmqpConnection) => Promise<T>): Promise<T> {
    const connection = await AmqpConnection.open({ ...this.run.broker.address, onLost: this.run.fail });
    try {
      return await this.run.orFailed(body(connection));
    } finally {
      connection.end();
    }
  }
}

/** One's part of a whole that may not divide evenly; all parts together are the whole. */
function share(whole: number, parts: number, index: number): number {
  if (whole === Number.POSITIVE_INFINITY) return whole;
  return Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);
}

async function inBatches<T, R>(all: readonly T[], each: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += UNDER_WAY)
    results.push(...(await Promise.all(all.slice(at, at + UNDER_WAY).map(each))));
  return results;
}

/** Runs what it is given, so many at a time. */
function atMost(limit: number): <T>(body: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (body) => {
    if (running === limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await body();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
