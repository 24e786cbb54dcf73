import { MessageCounts, ProtocolMeter, type VirtualHost } from '../../broker/index.ts';
import type { Settlement } from './consumers.ts';

/** The protocol as people know it. */
export const PROTOCOL = 'AMQP 0-9-1';

const SETTLED = { acknowledge: 'acknowledged', requeue: 'requeued', reject: 'rejected' } as const;

/** Counts what is done on one channel, for the channel and for all that speak the protocol. */
export class ChannelMeter {
  readonly counts = new MessageCounts();
  readonly #protocol: ProtocolMeter;
  readonly #all: MessageCounts;

  constructor(protocol: ProtocolMeter = new ProtocolMeter()) {
    this.#protocol = protocol;
    this.#all = protocol.messages;
  }

  published(bytes: number): void {
    this.counts.published++;
    this.counts.bytesIn += bytes;
    this.#all.published++;
    this.#all.bytesIn += bytes;
  }

  /** It went to no queue. */
  unroutable(mandatory: boolean, { messageCounts }: Pick<VirtualHost, 'messageCounts'>): void {
    const kind = mandatory ? 'returned' : 'unroutable';
    this.counts[kind]++;
    this.#all[kind]++;
    messageCounts[kind]++;
  }

  /** So many publishes are safe, so long after they came. */
  confirmed(count: number, ms: number, { messageCounts }: Pick<VirtualHost, 'messageCounts'>): void {
    this.counts.confirmed += count;
    this.#all.confirmed += count;
    messageCounts.confirmed += count;
    this.#protocol.confirmTime.observe(ms, count);
  }

  delivered(noAck: boolean, redelivered: boolean, bytes: number): void {
    if (noAck) {
      this.counts.deliveredNoAck++;
      this.#all.deliveredNoAck++;
    } else {
      this.counts.delivered++;
      this.#all.delivered++;
    }
    this.#out(redelivered, bytes);
  }

  got(noAck: boolean, redelivered: boolean, bytes: number): void {
    const kind = noAck ? 'gotNoAck' : 'got';
    this.counts[kind]++;
    this.#all[kind]++;
    this.#out(redelivered, bytes);
  }

  gotEmpty(): void {
    this.counts.gotEmpty++;
    this.#all.gotEmpty++;
  }

  acknowledged(): void {
    this.counts.acknowledged++;
    this.#all.acknowledged++;
  }

  settled(how: Settlement): void {
    const kind = SETTLED[how];
    this.counts[kind]++;
    this.#all[kind]++;
  }

  #out(redelivered: boolean, bytes: number): void {
    if (redelivered) {
      this.counts.redelivered++;
      this.#all.redelivered++;
    }
    this.counts.bytesOut += bytes;
    this.#all.bytesOut += bytes;
  }
}
