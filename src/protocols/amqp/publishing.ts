import {
  findField,
  type MessageBytes,
  type Participant,
  type Permissions,
  propertyPosition,
  type Turn,
  type Turns,
  type VirtualHost,
  validateProperties,
} from '../../broker/index.ts';
import type { Clock } from '../../environment/environment.ts';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import type { ChannelMeter } from './channel-meter.ts';
import { type ConfirmOutput, Confirms } from './confirms.ts';
import { AmqpError } from './errors.ts';
import type { AmqpLimits } from './limits.ts';
import { checkExpiration, checkUserId, needsChecks, replaceReplyTo, wantsDirectReply } from './publish-checks.ts';
import { REPLY_TO_PREFIX, type ReplyChannels } from './reply-to.ts';
import { Transaction } from './transaction.ts';

export interface PublishOutput extends ConfirmOutput {
  /** Gives a message back that went to no queue. */
  returned(message: MessageBytes): void;
}

/** What publishing needs of an open connection. */
export interface PublishingContext {
  readonly broker: {
    readonly turns: Pick<Turns, 'current'>;
    readonly environment: { readonly clock: Pick<Clock, 'monotonic'> };
  };
  readonly virtualHost: VirtualHost;
  readonly permissions: Permissions;
  /** Who it is, for traces. */
  readonly participant?: Participant;
  readonly replies: ReplyChannels;
  readonly limits: Pick<AmqpLimits, 'maxMessageBytes' | 'maxTransactionBytes'>;
}

/** What the broker could not do for a message: whoever waits for confirms is told by `basic.nack`. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['storage-full', 'storage-failed', 'closed', 'fenced']);

/** What became of a message: `refused` by a queue that is full, `returned` (or dropped) where it goes to none. */
type Outcome = 'taken' | 'refused' | 'returned';

const CC_HEADERS = ['CC', 'BCC'].map((name) => Buffer.from(name));
const DIRECT_REPLY = Buffer.from(`${REPLY_TO_PREFIX}`);

/** The publishes of one channel: checks, confirms, transactions, returns. */
export class Publishing {
  /** Routing key that reaches the channel with direct replies; undefined while it takes none. */
  replyKey: string | undefined;

  readonly #context: PublishingContext;
  readonly #output: PublishOutput;
  readonly #meter: ChannelMeter;
  #confirms: Confirms | undefined;
  #transaction: Transaction | undefined;
  /** The exchange published to last: its name as it stands in an address, and the turn in which it was seen that this is permitted. */
  #exchangeBytes: Buffer = Buffer.alloc(0);
  #exchange = '';
  #isTopic = false;
  #permittedIn: Turn | undefined;

  constructor(context: PublishingContext, output: PublishOutput, meter: ChannelMeter) {
    this.#context = context;
    this.#output = output;
    this.#meter = meter;
  }

  get transaction(): Transaction | undefined {
    return this.#transaction;
  }

  /** Publishes that were not answered yet. */
  get unconfirmed(): number {
    return this.#confirms?.pending ?? 0;
  }

  get confirms(): boolean {
    return this.#confirms !== undefined;
  }

  selectConfirms(): void {
    if (this.#transaction !== undefined)
      throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from tx to confirm mode');
    this.#confirms ??= new Confirms(this.#output, (count, turn) => this.#confirmed(count, turn));
  }

  selectTransactions(): void {
    if (this.#confirms !== undefined)
      throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from confirm to tx mode');
    this.#transaction ??= new Transaction(this.#context.limits.maxTransactionBytes);
  }

  checkSize(bytes: number): void {
    const { maxMessageBytes } = this.#context.limits;
    if (bytes > maxMessageBytes)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `message size ${bytes} is larger than configured max size ${maxMessageBytes}`,
      );
  }

  /** Publishes a message as it came from a client. Throws what closes the channel or the connection. */
  publish(message: MessageBytes, mandatory: boolean): void {
    const turn = this.#context.broker.turns.current;
    checkProperties(message);
    if (turn !== this.#permittedIn || !this.#isSameExchange(message)) this.#checkExchange(turn, message);
    if (needsChecks(message)) {
      this.#redirectReplies(message);
      checkExpiration(message);
      checkUserId(message, this.#context.permissions.user);
    }
    if (this.#isTopic) this.#checkTopics(message);
    if (this.#transaction !== undefined) this.#transaction.publish(message, mandatory);
    else this.#send(turn, message, mandatory);
  }

  /** Publishes what the transaction gathered. Answers whether everything was taken. */
  commit(turn: Turn): boolean {
    let taken = true;
    for (const { message, mandatory } of this.#transaction?.publishes ?? []) {
      this.#exchange = message.exchange;
      try {
        taken = this.#route(turn, message, mandatory) !== 'refused' && taken;
      } catch (error) {
        // An exchange that has gone since leads nowhere.
        if (!(error instanceof BrokerError && error.code === 'not-found')) throw error;
        if (mandatory) this.#output.returned(message);
      }
    }
    this.#permittedIn = undefined;
    return taken;
  }

  close(): void {
    this.#confirms?.close();
    if (this.replyKey !== undefined) this.#context.replies.remove(this.replyKey);
    this.replyKey = undefined;
  }

  #send(turn: Turn, message: MessageBytes, mandatory: boolean): void {
    const confirms = this.#confirms;
    if (confirms === undefined) {
      this.#route(turn, message, mandatory);
      return;
    }
    let outcome: Outcome = 'refused';
    try {
      outcome = this.#route(turn, message, mandatory);
    } catch (error) {
      if (!(error instanceof BrokerError && REFUSALS.has(error.code))) throw error;
    }
    // Who waits for one message at a time gets its return and its confirm at once, as from RabbitMQ.
    if (outcome === 'returned') confirms.publishedNowhere(turn);
    else confirms.published(turn, outcome === 'refused');
  }

  #route(turn: Turn, message: MessageBytes, mandatory: boolean): Outcome {
    const { virtualHost, replies, participant } = this.#context;
    if (this.#exchange === '' && isDirectReply(message)) {
      const channel = replies.get(message.routingKey, virtualHost);
      channel?.reply(message);
      if (channel === undefined && mandatory) this.#output.returned(message);
      return 'taken';
    }
    this.#meter.published(message.bodyLength);
    const { routed, refused } = virtualHost.publish(turn, this.#exchange, message, participant);
    if (refused) return 'refused';
    if (routed) return 'taken';
    this.#meter.unroutable(mandatory, virtualHost);
    if (mandatory) this.#output.returned(message);
    return 'returned';
  }

  #confirmed(count: number, turn: Turn | undefined): void {
    const { broker, virtualHost } = this.#context;
    const ms = turn === undefined ? 0 : broker.environment.clock.monotonic() - turn.begunAt;
    this.#meter.confirmed(count, ms, virtualHost);
  }

  #isSameExchange({ address, addressStart }: MessageBytes): boolean {
    const known = this.#exchangeBytes;
    for (let i = 0; i < known.length; i++) if (address[addressStart + i] !== known[i]) return false;
    return known.length > 0;
  }

  #checkExchange(turn: Turn, message: MessageBytes): void {
    const { permissions, virtualHost } = this.#context;
    const { address, addressStart } = message;
    this.#permittedIn = undefined;
    if (!this.#isSameExchange(message)) {
      const length = 1 + (address[addressStart] ?? 0);
      this.#exchangeBytes = Buffer.from(address.subarray(addressStart, addressStart + length));
      this.#exchange = message.exchange;
    }
    const name = this.#exchange;
    permissions.check('write', 'exchange', name);
    if (name !== '') {
      const exchange = virtualHost.checkExchange(name);
      if (exchange.internal)
        throw new AmqpError(
          'ACCESS_REFUSED',
          `cannot publish to internal exchange '${name}' in vhost '${virtualHost.name}'`,
        );
      this.#isTopic = exchange.type === 'topic';
    } else this.#isTopic = false;
    this.#permittedIn = turn;
  }

  /** A message for a topic exchange needs permission for each of its routing keys. */
  #checkTopics(message: MessageBytes): void {
    const { permissions } = this.#context;
    const exchange = { name: this.#exchange, type: 'topic' };
    permissions.checkTopic('write', exchange, message.routingKey);
    if (!message.hasHeaders) return;
    const { properties, propertiesStart } = message;
    const at = propertyPosition(properties, propertiesStart, 'headers');
    const end = at + 4 + properties.readUInt32BE(at);
    for (const name of CC_HEADERS) {
      const keys = findField(properties, at + 4, end, name);
      if (keys?.type !== 'A') continue;
      for (const key of keys.value) if (key.type === 'S') permissions.checkTopic('write', exchange, key.value);
    }
  }

  #redirectReplies(message: MessageBytes): void {
    if (!wantsDirectReply(message)) return;
    if (this.replyKey === undefined) throw new AmqpError('PRECONDITION_FAILED', 'fast reply consumer does not exist');
    replaceReplyTo(message, this.replyKey);
  }
}

function isDirectReply({ address, addressStart }: MessageBytes): boolean {
  // After the length of the empty name of the default exchange, and that of the routing key.
  const start = addressStart + 2;
  if ((address[start - 1] ?? 0) < DIRECT_REPLY.length || address[start] !== DIRECT_REPLY[0]) return false;
  return DIRECT_REPLY.compare(address, start, start + DIRECT_REPLY.length) === 0;
}

function checkProperties({ properties, propertiesStart, propertiesEnd }: MessageBytes): void {
  try {
    validateProperties(properties, propertiesStart, propertiesEnd);
  } catch (error) {
    throw new AmqpError('SYNTAX_ERROR', error instanceof Error ? error.message : '');
  }
}
