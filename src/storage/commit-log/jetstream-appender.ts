import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Clock, Timer } from '../../environment/environment.ts';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import { type Author, encodeHeader, type MessageHeader } from './jetstream-message.ts';
import type { JetStreamStream, StreamState } from './jetstream-stream.ts';

/** What is to be stored at one sequence. */
export interface Slot extends Pick<MessageHeader, 'kind' | 'part' | 'parts'> {
  readonly payload: Uint8Array;
}

export interface JetStreamAppenderOptions extends Author {
  readonly connection: NatsConnection;
  readonly stream: JetStreamStream;
  readonly clock: Clock;
  /** The sequence before that of the first slot. */
  readonly after: number;
  /** Messages under way at once. */
  readonly inFlight: number;
  /** Silence after which the fate of the oldest message under way is looked up. */
  readonly ackTimeoutMs: number;
  /** Slots whose messages are stored, in order; none twice. `sequence` is that of the last one. */
  readonly onStored: (slots: readonly Slot[], sequence: number) => void;
  /** Once: from now on nothing is stored, and what was not reported as stored is not in the log. */
  readonly onFenced: (error: BrokerError) => void;
  /** Told when nothing can be stored: once per kind of reason, until something is stored. */
  readonly onTrouble: (error: BrokerError) => void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: BrokerError) => void;
}

/** How long to wait before asking what became of a message, the first time and at most. */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 1_000;
/** Waiting that should not go unnoticed. */
const TROUBLE_MS = 2_000;
/** The errors with which a server says that it has no space. */
const NO_SPACE: ReadonlySet<number> = new Set([
  10002, // resource limits exceeded for account
  10023, // insufficient resources
  10028, // account resources exceeded
  10047, // insufficient storage resources available
  10077, // the stream's store refused: maximum bytes or messages
]);

/**
 * Stores messages in a stream, each at a sequence that is fixed when it is handed in, several under way at once.
 *
 * Every message expects to be stored right after the sequence before its own. So however often it is sent, it is stored
 * once at most, and only there: sending it again is always safe, and a message that someone else has put there is proof
 * that this one never will be. When an answer is missing or says no, nothing is concluded from it; what lies at the
 * oldest unknown sequence decides, and it is final, as only committed messages can be read:
 *
 *   - our own message: it is stored, whatever the answer was;
 *   - somebody else's: this writer was deposed;
 *   - nothing: the server asked may be behind or have no leader; send it and all after it again.
 *
 * There is no giving up: while a message may be on its way it cannot be called lost, and what could make sure that it
 * never arrives (storing another one at its sequence) needs the same quorum that would store the message itself.
 */
export class JetStreamAppender {
  readonly #options: JetStreamAppenderOptions;
  readonly #inbox = createInbox();
  readonly #replies: Subscription;
  /** Those that are not known to be stored, from `#head` on, which is the one for `#stored + 1`. */
  #slots: { readonly slot: Slot; acknowledged: boolean }[] = [];
  #head = 0;
  #stored: number;
  #sent: number;
  #last: number;
  /** Counts the times that sending began anew: a refusal that belongs to a former round says nothing. */
  #round = 0;
  #settling = false;
  #backoffMs = MIN_BACKOFF_MS;
  /** When something was stored last, or sending began (again). */
  #progressAt = 0;
  /** Since when nothing was stored although something waits to be. */
  #waitingSince = 0;
  #ackTimer: Timer | undefined;
  #refusal: BrokerError | undefined;
  /** What was told of, since something was stored last. */
  #trouble: ErrorCode | undefined;
  #waiters: Waiter[] = [];
  #stopped: BrokerError | undefined;

  constructor(options: JetStreamAppenderOptions) {
    this.#options = options;
    this.#stored = options.after;
    this.#sent = options.after;
    this.#last = options.after;
    this.#replies = options.connection.subscribe(`${this.#inbox}.>`, {
      callback: (error, message) => {
        if (this.#stopped !== undefined) return;
        if (error) this.#settle(new BrokerError('storage-failed', 'no answers can be received', { cause: error }));
        else this.#answered(message);
      },
    });
  }

  /** The sequence of the newest slot. */
  get last(): number {
    return this.#last;
  }

  /** Everything up to this sequence is stored. */
  get stored(): number {
    return this.#stored;
  }

  /** The stream refuses messages as there is no space. */
  get full(): boolean {
    return this.#refusal?.code === 'storage-full';
  }

  /** Answers the sequence at which the message will be stored, if this writer is not deposed before. */
  push(slot: Slot): number {
    this.#last++;
    if (this.#stopped !== undefined) return this.#last;
    this.#slots.push({ slot, acknowledged: false });
    this.#send();
    return this.#last;
  }

  /** Resolves when everything up to a sequence is stored; rejects when that will not be known (`stop`) or is refused. */
  until(sequence: number): Promise<void> {
    if (sequence <= this.#stored) return Promise.resolve();
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }));
  }

  /** Sends nothing and hears nothing any more. What became of messages under way stays unknown. */
  stop(error: BrokerError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#ackTimer?.cancel();
    this.#replies.unsubscribe();
    this.#slots = [];
    this.#head = 0;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
  }

  #send(): void {
    const { connection, stream, clock, inFlight } = this.#options;
    if (this.#sent === this.#stored && this.#sent < this.#last) {
      this.#progressAt = clock.monotonic();
      if (this.#refusal === undefined) this.#waitingSince = this.#progressAt;
    }
    while (!this.#settling && this.#sent < this.#last && this.#sent - this.#stored < inFlight) {
      const sequence = this.#sent + 1;
      const pending = this.#slots[this.#head + sequence - this.#stored - 1];
      if (pending === undefined) throw new BrokerError('internal', `no slot for sequence ${sequence}`);
      if (!pending.acknowledged) {
        try {
          connection.publish(stream.subject, pending.slot.payload, {
            headers: encodeHeader(this.#options, pending.slot, sequence),
            reply: `${this.#inbox}.${this.#round}.${sequence}`,
          });
        } catch (error) {
          this.#settle(new BrokerError('storage-failed', 'a message could not be sent', { cause: error }));
          return;
        }
      }
      if (this.#ackTimer === undefined) this.#watch();
      this.#sent = sequence;
    }
  }

  /** One timer for all that is under way, not one per message. */
  #watch(): void {
    const { clock, ackTimeoutMs } = this.#options;
    const check = () => {
      this.#ackTimer = undefined;
      if (this.#stopped !== undefined || this.#sent === this.#stored) return;
      const left = this.#progressAt + ackTimeoutMs - clock.monotonic();
      if (left > 0) this.#ackTimer = clock.setTimer(left, check);
      else this.#settle(new BrokerError('storage-failed', `no answer within ${ackTimeoutMs} ms`));
    };
    this.#ackTimer = clock.setTimer(ackTimeoutMs, check);
  }

  #answered(message: Msg): void {
    const [round, sequence = 0] = message.subject.split('.').slice(-2).map(Number);
    const refusal = refusalOf(message, this.#options.stream.name, sequence);
    if (refusal === undefined) {
      this.#acknowledged(sequence);
      this.#send();
    } else if (round === this.#round && sequence > this.#stored) this.#settle(refusal);
  }

  /** The message at a sequence is stored, and it is ours. */
  #acknowledged(sequence: number): void {
    const pending = this.#slots[this.#head + sequence - this.#stored - 1];
    if (sequence <= this.#stored || pending === undefined) return;
    pending.acknowledged = true;
    const begin = this.#head;
    while (this.#slots[this.#head]?.acknowledged) this.#head++;
    if (this.#head === begin) return;
    const slots = this.#slots.slice(begin, this.#head).map((one) => one.slot);
    this.#stored += slots.length;
    // A message from before sending began anew may be acknowledged now.
    this.#sent = Math.max(this.#sent, this.#stored);
    if (this.#head > 1024 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    this.#progressAt = this.#options.clock.monotonic();
    this.#waitingSince = this.#progressAt;
    this.#backoffMs = MIN_BACKOFF_MS;
    this.#refusal = undefined;
    this.#trouble = undefined;
    this.#options.onStored(slots, this.#stored);
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.sequence <= this.#stored);
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > this.#stored);
    for (const { resolve } of ready) resolve();
  }

  /** Something under way was refused or not answered: sends nothing more until it is known what is stored. */
  #settle(why: BrokerError): void {
    this.#refusal = why;
    if (this.#settling) return;
    this.#settling = true;
    this.#round++;
    void this.#lookUp().then(() => {
      this.#settling = false;
      if (this.#stopped === undefined) this.#send();
    });
  }

  async #lookUp(): Promise<void> {
    const { stream } = this.#options;
    for (;;) {
      await this.#backOff();
      const sequence = this.#stored + 1;
      if (this.#stopped !== undefined || this.#stored === this.#sent) return;
      let found: MessageHeader | undefined;
      let state: StreamState | undefined;
      try {
        found = await stream.header(sequence);
        if (found === undefined) state = await stream.state();
      } catch (error) {
        if (error instanceof BrokerError) return this.#fenced(error.message);
        this.#refusal = new BrokerError('storage-failed', `stream ${stream.name} cannot be read`, { cause: error });
        continue;
      }
      if (this.#stopped !== undefined) return;
      if (sequence <= this.#stored) continue;
      // We never purge what is not known to be stored.
      if (state !== undefined && state.firstSequence > sequence) {
        return this.#fenced(`another writer took stream ${stream.name} over, and purged it`);
      }
      if (state !== undefined && state.lastSequence < this.#stored)
        this.#refusal = lost(stream.name, this.#stored, state);
      if (found === undefined) {
        this.#sent = this.#stored;
        return;
      }
      if (!this.#settles(found, sequence)) {
        return this.#fenced(`another writer took stream ${stream.name} over (epoch ${found.epoch})`);
      }
      this.#acknowledged(sequence);
    }
  }

  /** Whether what was found at a sequence is as good as our own message there. */
  #settles(found: MessageHeader, sequence: number): boolean {
    const slot = this.#slots[this.#head + sequence - this.#stored - 1]?.slot;
    if (found.writer === this.#options.writer) return found.kind === slot?.kind;
    // A deposed writer's message was faster: it has the sequence now, and it was only to be taken from it.
    return slot?.kind === 'take-over' && found.kind !== 'take-over' && found.epoch < this.#options.epoch;
  }

  /** Twice as long each time, until something is stored. When that takes long, somebody should know. */
  async #backOff(): Promise<void> {
    const { clock, onTrouble } = this.#options;
    const delay = this.#backoffMs;
    this.#backoffMs = Math.min(delay * 2, MAX_BACKOFF_MS);
    const trouble = this.#refusal;
    const late = clock.monotonic() - this.#waitingSince > TROUBLE_MS;
    if (late && trouble !== undefined && trouble.code !== this.#trouble) {
      this.#trouble = trouble.code;
      onTrouble(trouble);
    }
    await new Promise<void>((resolve) => clock.setTimer(delay, resolve));
  }

  #fenced(message: string): void {
    const error = new BrokerError('fenced', message);
    this.stop(error);
    this.#options.onFenced(error);
  }
}

/** No proof, as it may be an old leader that answers; but when it does not pass, somebody has to look. */
function lost(stream: string, stored: number, { lastSequence }: StreamState): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `stream ${stream} ends at sequence ${lastSequence}, but its servers acknowledged messages up to ${stored}: unless this ` +
      'passes they have lost them, and what was appended since will not be stored',
  );
}

/** Why a message was not stored, or undefined when the answer says that it is. */
function refusalOf(answer: Msg, stream: string, sequence: number): BrokerError | undefined {
  const what = `stream ${stream} did not take the message for sequence ${sequence}`;
  if (answer.headers?.code) return new BrokerError('storage-failed', `${what}: it has no leader`);
  let acknowledgement: { stream?: string; seq?: number; error?: { err_code?: number; description?: string } };
  try {
    acknowledgement = JSON.parse(answer.string());
  } catch (error) {
    return new BrokerError('storage-failed', `${what}: its answer cannot be read`, { cause: error });
  }
  const { error } = acknowledgement;
  if (error === undefined && acknowledgement.stream === stream && acknowledgement.seq === sequence) return undefined;
  const code: ErrorCode =
    error?.err_code !== undefined && NO_SPACE.has(error.err_code) ? 'storage-full' : 'storage-failed';
  return new BrokerError(code, `${what}: ${error?.description ?? answer.string()} (${error?.err_code ?? 'no code'})`);
}
