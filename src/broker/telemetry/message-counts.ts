/**
 * What was done with messages since the broker started, of one queue, channel, virtual host or protocol. Plain numbers, counted where the
 * thing that they are of is at hand anyway.
 */
export class MessageCounts {
  /** To a queue: that it took. Elsewhere: by clients. */
  published = 0;
  confirmed = 0;
  /** Went to no queue, and back to who published it. */
  returned = 0;
  /** Went to no queue, and is gone. */
  unroutable = 0;
  /** To consumers that acknowledge, and to those that do not. */
  delivered = 0;
  deliveredNoAck = 0;
  /** Of all that were delivered or got: not for the first time. */
  redelivered = 0;
  got = 0;
  gotNoAck = 0;
  /** Asked for, when there was none. */
  gotEmpty = 0;
  acknowledged = 0;
  /** Refused by their consumer, for good. */
  rejected = 0;
  /** Given back by their consumer, to be delivered again. */
  requeued = 0;
  /** Left a queue for its dead-letter exchange. */
  deadLettered = 0;
  expired = 0;
  /** Dropped by a queue that was over its limits. */
  overflowed = 0;
  /** Of bodies. */
  bytesIn = 0;
  bytesOut = 0;
  /** See `Counted`. */
  sampled = 0;

  /** Grows with everything that is counted. */
  get activity(): number {
    const { published, delivered, deliveredNoAck, got, gotNoAck, gotEmpty } = this;
    const { acknowledged, rejected, requeued, expired, overflowed } = this;
    const given = delivered + deliveredNoAck + got + gotNoAck + gotEmpty;
    return published + given + acknowledged + rejected + requeued + expired + overflowed;
  }

  /** Adds those of something that is gone, so that the whole never gets less. */
  add(others: MessageCounts): void {
    for (const name of MESSAGE_COUNTS) this[name] += others[name];
  }
}

/** The names of the counts, in the order in which samples have them. */
export const MESSAGE_COUNTS = [
  'published',
  'confirmed',
  'returned',
  'unroutable',
  'delivered',
  'deliveredNoAck',
  'redelivered',
  'got',
  'gotNoAck',
  'gotEmpty',
  'acknowledged',
  'rejected',
  'requeued',
  'deadLettered',
  'expired',
  'overflowed',
  'bytesIn',
  'bytesOut',
] as const satisfies (keyof MessageCounts)[];

/** Messages that came to an exchange, and copies of them that went on to queues, streams and other exchanges. */
export class ExchangeCounts {
  in = 0;
  out = 0;
  sampled = 0;

  get activity(): number {
    return this.in;
  }
}

/** Records of a stream, whoever wrote and read them. */
export class StreamCounts {
  recordsIn = 0;
  bytesIn = 0;
  recordsOut = 0;
  bytesOut = 0;
  sampled = 0;

  get activity(): number {
    return this.recordsIn + this.bytesOut + this.recordsOut;
  }
}

/** What comes and goes. */
export class Churn {
  connectionsOpened = 0;
  connectionsClosed = 0;
  channelsOpened = 0;
  channelsClosed = 0;
  queuesDeclared = 0;
  queuesCreated = 0;
  queuesDeleted = 0;
}

export const CHURN_COUNTS = [
  'connectionsOpened',
  'connectionsClosed',
  'channelsOpened',
  'channelsClosed',
  'queuesDeclared',
  'queuesCreated',
  'queuesDeleted',
] as const satisfies (keyof Churn)[];
