import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { createInbox, type Msg, type MsgHdrs, type NatsConnection, nanos } from '@nats-io/transport-node';
import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { decodeHeader, type MessageHeader } from './jetstream-message.ts';

export interface JetStreamStreamOptions {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  /** Of the shard: letters, digits, `-` and `_`. */
  readonly shard: string;
  readonly replicas: number;
  /** How long an answer to one request may take. */
  readonly requestTimeoutMs: number;
}

export interface StreamState {
  /** That of the oldest message; everything before it was purged. One more than the last when there is none. */
  readonly firstSequence: number;
  /** 0 when nothing was ever stored. Not reset by a purge. */
  readonly lastSequence: number;
  readonly messages: number;
}

export interface ReadRange {
  /** The sequence before the first to read. */
  readonly after: number;
  /** The last to read: it has to be there. */
  readonly upTo: number;
  /** With it, payloads are left out. */
  readonly headersOnly?: boolean;
}

export type MessageVisitor = (sequence: number, header: MessageHeader, data: Uint8Array) => void;

/** `first`: of this consumer. */
type RawVisitor = (sequence: number, header: MsgHdrs | undefined, data: Uint8Array, first: boolean) => 'more' | 'stop';

const HEARTBEAT_MS = 1_000;
const RETRY_MS = 100;
/** Time without a message after which a read starts again where it was, with another consumer. */
const STALLED_MS = 2_000;
/** What a message on a consumer's subject carries that is not one of the stream's, but about the consumer. */
const CONSUMER_STATUS = 100;

/** One shard's stream: how it is set up, and how it is read. What is read here is committed; it may not be the newest. */
export class JetStreamStream {
  readonly name: string;
  readonly subject: string;
  readonly #options: JetStreamStreamOptions;
  #manager: JetStreamManager | undefined;

  constructor(options: JetStreamStreamOptions) {
    if (!/^[\w-]{1,64}$/.test(options.shard)) {
      throw new BrokerError('invalid-argument', `'${options.shard}' cannot be part of a stream's name`);
    }
    this.#options = options;
    this.name = `SLUICE_${options.shard}`;
    this.subject = `sluice.commit-log.${options.shard}`;
  }

  /** Makes the stream when it is missing. Rejects with `invalid-configuration` for one that would lose messages by itself. */
  async prepare(): Promise<void> {
    const { connection, requestTimeoutMs, replicas } = this.#options;
    this.#manager = await jetstreamManager(connection, { checkAPI: false, timeout: requestTimeoutMs });
    let config: StreamConfig;
    try {
      config = (await this.#manager.streams.info(this.name)).config;
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
      const wanted = {
        name: this.name,
        subjects: [this.subject],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.New,
        num_replicas: replicas,
      };
      config = (await this.#manager.streams.add(wanted)).config;
    }
    this.#check(config);
  }

  async state(): Promise<StreamState> {
    const { state } = await this.#jsm.streams.info(this.name);
    if (!Number.isSafeInteger(state.last_seq)) {
      throw new BrokerError('limit-exceeded', `stream ${this.name} is at sequence ${state.last_seq}, beyond 2^53`);
    }
    return { firstSequence: state.first_seq, lastSequence: state.last_seq, messages: state.messages };
  }

  /** The header of the message at a sequence; undefined when the server that was asked has none there (yet). */
  async header(sequence: number): Promise<MessageHeader | undefined> {
    const message = await this.#jsm.streams.getMessage(this.name, { seq: sequence });
    return message === null ? undefined : this.#decode(message.header, sequence);
  }

  /**
   * Visits a range of messages in order. What was purged is skipped at the beginning only: a hole further on rejects with
   * `storage-damaged`. `giveUpMs` without a message: `storage-failed`.
   */
  async read(range: ReadRange, giveUpMs: number, visit: MessageVisitor): Promise<void> {
    const { clock } = this.#options;
    const { upTo, headersOnly = false } = range;
    let cursor = range.after;
    let begun = false;
    let progressAt = clock.monotonic();
    let failure: { readonly error: unknown } | undefined;
    const take: RawVisitor = (sequence, header, data, first) => {
      if (sequence <= cursor) return 'more';
      if (begun && sequence !== cursor + 1) {
        if (!first) return 'stop'; // Lost on the way, it seems. If not, the next consumer begins with the hole too.
        throw new BrokerError(
          'storage-damaged',
          `stream ${this.name} has nothing between sequence ${cursor} and ${sequence}`,
        );
      }
      begun = true;
      visit(sequence, this.#decode(header, sequence), data);
      cursor = sequence;
      return cursor >= upTo ? 'stop' : 'more';
    };
    while (cursor < upTo) {
      const before = cursor;
      let cause: unknown;
      try {
        await this.#readOnce(cursor, headersOnly, (sequence, header, data, first) => {
          try {
            return take(sequence, header, data, first);
          } catch (error) {
            failure = { error };
            return 'stop';
          }
        });
      } catch (error) {
        cause = error;
      }
      if (failure !== undefined) throw failure.error;
      if (cursor > before) progressAt = clock.monotonic();
      else if (clock.monotonic() - progressAt > giveUpMs) {
        throw new BrokerError('storage-failed', `stream ${this.name} cannot be read beyond sequence ${cursor}`, {
          cause,
        });
      } else if (cause !== undefined) await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
  }

  /** Drops everything up to and with a sequence. */
  async purge(upTo: number): Promise<void> {
    await this.#jsm.streams.purge(this.name, { seq: upTo + 1 });
  }

  get #jsm(): JetStreamManager {
    if (this.#manager === undefined) throw new BrokerError('internal', `stream ${this.name} was not prepared`);
    return this.#manager;
  }

  #check(config: StreamConfig): void {
    const wrong: string[] = [];
    if (config.retention !== RetentionPolicy.Limits) wrong.push(`retention '${config.retention}', not 'limits'`);
    if (config.discard !== DiscardPolicy.New) wrong.push(`discard '${config.discard}', not 'new'`);
    if (config.max_age > 0) wrong.push('a maximum age');
    if (config.max_msgs_per_subject > 0) wrong.push('a maximum of messages per subject');
    if (config.mirror !== undefined || config.sources !== undefined) wrong.push('other streams as sources');
    if (!config.subjects?.includes(this.subject)) wrong.push(`no subject ${this.subject}`);
    if (wrong.length > 0) {
      throw new BrokerError(
        'invalid-configuration',
        `stream ${this.name} cannot hold a commit log, it has ${wrong.join(', ')}: change it with the nats tool`,
      );
    }
  }

  #decode(header: MsgHdrs | undefined, sequence: number): MessageHeader {
    const decoded = decodeHeader(header);
    if (decoded !== undefined) return decoded;
    throw new BrokerError(
      'storage-damaged',
      `stream ${this.name}: the message at sequence ${sequence} was not written by a commit log`,
    );
  }

  /** Reads with one consumer until the visitor has enough, or until the consumer brings nothing more. */
  async #readOnce(after: number, headersOnly: boolean, visit: RawVisitor): Promise<void> {
    const { connection, clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // It may be rejected while the consumer is still being made.
    const inbox = createInbox();
    let progressAt = clock.monotonic();
    let first = true;
    let over = false;
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (over) return;
        try {
          if (error) throw error;
          // Heartbeats do not count as progress: a consumer can live on a server whose copy of the stream hangs.
          if (message.headers?.code === CONSUMER_STATUS) return answerStatus(connection, message);
          progressAt = clock.monotonic();
          over = visit(sequenceOf(message), message.headers, message.data, first) === 'stop';
          first = false;
          if (over) resolve();
        } catch (thrown) {
          over = true;
          reject(thrown);
        }
      },
    });
    const watch = () => {
      if (over) return;
      if (clock.monotonic() - progressAt > STALLED_MS) resolve();
      else clock.setTimer(HEARTBEAT_MS, watch);
    };
    let consumer: string | undefined;
    try {
      consumer = (
        await this.#jsm.consumers.add(this.name, {
          deliver_subject: inbox,
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: after + 1,
          ack_policy: AckPolicy.None,
          headers_only: headersOnly,
          flow_control: true,
          idle_heartbeat: nanos(HEARTBEAT_MS),
          inactive_threshold: nanos(30_000),
          mem_storage: true,
          num_replicas: 1,
        })
      ).name;
      watch();
      await promise;
    } finally {
      over = true;
      subscription.unsubscribe();
      // One that cannot be deleted now goes by itself after its threshold.
      if (consumer !== undefined) void this.#jsm.consumers.delete(this.name, consumer).catch(() => {});
    }
  }
}

/** A consumer waits for an answer to these before it sends more. */
function answerStatus(connection: NatsConnection, message: Msg): void {
  const stalled = message.headers?.get('Nats-Consumer-Stalled');
  if (message.reply) message.respond();
  else if (stalled) connection.publish(stalled);
}

/** From the reply subject: `$JS.ACK.<stream>.<consumer>.<n>.<sequence>.…`, or with domain and account before the stream. */
function sequenceOf(message: Msg): number {
  const tokens = message.reply?.split('.') ?? [];
  const sequence = Number(tokens.length === 9 ? tokens[5] : tokens[7]);
  if (Number.isSafeInteger(sequence)) return sequence;
  throw new BrokerError('internal', `a consumer's message came with the reply subject '${message.reply}'`);
}
