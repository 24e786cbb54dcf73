import { Empty, type NatsConnection } from '@nats-io/transport-node';
import type { Clock, Random } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { CommitLog, CommitLogListener, Position } from '../commit-log.ts';
import { JetStreamAppender, type Slot } from './jetstream-appender.ts';
import { encodeHeader, MAX_HEADER_BYTES, type MessageHeader } from './jetstream-message.ts';
import { JetStreamStream } from './jetstream-stream.ts';

export interface JetStreamCommitLogSettings {
  /** Copies of the stream, each on another server. */
  readonly replicas: number;
  /** Messages under way at once, at most `MAX_IN_FLIGHT`. */
  readonly inFlight: number;
  /** Silence after which the fate of a message is looked up. An election takes several seconds; asking costs little. */
  readonly ackTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long `open`, `replay`, `truncate` and `close` try before they reject with `storage-failed`. */
  readonly giveUpMs: number;
}

export const DEFAULT_JETSTREAM_SETTINGS: JetStreamCommitLogSettings = {
  replicas: 3,
  inFlight: 16,
  ackTimeoutMs: 1_000,
  requestTimeoutMs: 2_000,
  giveUpMs: 30_000,
};

/**
 * More messages than this no writer may have under way, of whatever version: a new writer sees to it that none of so many
 * fits any more before it appends its first group (see `JetStreamCommitLog`).
 */
export const MAX_IN_FLIGHT = 256;

export interface JetStreamCommitLogOptions {
  /**
   * Stays the caller's. It should reconnect for ever (`maxReconnectAttempts: -1`), as a closed one leaves outcomes unknown,
   * and ping often (`pingInterval`): by default it takes minutes to notice a server that hangs, and appends wait as long.
   */
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly shard: string;
  readonly settings?: Partial<JetStreamCommitLogSettings>;
  /** Told when appends have been waiting for a while, and why; they go on waiting. */
  readonly onTrouble?: (error: BrokerError) => void;
}

/** What JetStream allows where a server does not say. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const RETRY_MS = 50;
const MAX_PAUSE_MS = 20;
const TAKE_OVER = { kind: 'take-over', part: 1, parts: 1 } as const;

/**
 * A commit log in a NATS JetStream stream, replicated by Raft. A group is one message, or several consecutive ones when it
 * is larger than a message may be; its position is the sequence of the last. Tested with nats-server 2.9.10.
 *
 * `durable` (and `written`, which is the same here) means that a quorum of the stream's servers has the group in its log,
 * in the page cache: it survives any minority of servers, and all of their processes being killed. nats-server syncs to the
 * device every two minutes unless told otherwise (`sync_interval`, from 2.10 on): a power loss that takes a quorum down at
 * once can take acknowledged groups with it. All of this is the engine's promise: 2.9.10 keeps it when processes are killed
 * (test/jetstream), but was seen to elect a server with an old log after it had hung for seconds, and to go back behind
 * what it had acknowledged. `onTrouble` then tells of `storage-damaged`. Production wants a newer server.
 *
 * The fence. Every message expects to be stored right after the sequence before its own, which the engine checks where it
 * applies its Raft log. `open` stores a take-over message, and thereby takes the sequence that the former writer's next
 * message was for. That alone does not end the former writer, as it has several messages under way: the second of them
 * expects the very sequence that the take-over message has got, and can be stored after it. So:
 *
 *   - A group counts if its writer was the last to take over before it in the stream; replay ignores others. None of these
 *     was acknowledged, as a writer that finds somebody else's message at a sequence of its own stops for good.
 *   - `open` stores take-over messages at the `MAX_IN_FLIGHT` sequences from the first on (former writers' messages may
 *     slip in between). After that none that anyone sent before fits any more, and groups can have fixed positions.
 *
 * `failed` is called for one reason only, `fenced`, and the log refuses everything afterwards. Without a quorum appends
 * wait, for as long as it takes: see `JetStreamAppender` for why nothing can be called lost earlier. `onTrouble` tells,
 * `pendingBytes` grows, and who appends has to stop (the shard says that it is overloaded). `close` gives up after
 * `giveUpMs` and rejects; what became of the groups under way is then unknown, as after a crash.
 */
export class JetStreamCommitLog implements CommitLog {
  readonly #options: JetStreamCommitLogOptions;
  readonly #settings: JetStreamCommitLogSettings;
  readonly #stream: JetStreamStream;
  readonly #writer: string;
  #listener: CommitLogListener | undefined;
  #appender: JetStreamAppender | undefined;
  /** The sequence of our take-over message: what former writers appended lies before it. */
  #takeOver = 0;
  #maxPartBytes = 0;
  #replayed = false;
  #pendingBytes = 0;
  /** After we were deposed: what was appended since, and is to be refused. */
  #fenced: BrokerError | undefined;
  #refusing = false;
  #lastPosition: Position = 0;
  #closed: Promise<void> | undefined;

  constructor(options: JetStreamCommitLogOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_JETSTREAM_SETTINGS, ...options.settings };
    const { inFlight } = this.#settings;
    if (!Number.isInteger(inFlight) || inFlight < 1 || inFlight > MAX_IN_FLIGHT) {
      throw new BrokerError('invalid-argument', `inFlight is from 1 to ${MAX_IN_FLIGHT}, not ${inFlight}`);
    }
    this.#writer = options.random.uuid();
    this.#stream = new JetStreamStream({ ...options, ...this.#settings });
  }

  async open(listener: CommitLogListener): Promise<number> {
    if (this.#listener !== undefined) throw new BrokerError('internal', 'a commit log is opened once');
    this.#listener = listener;
    const { connection, clock } = this.#options;
    const deadline = clock.monotonic() + this.#settings.giveUpMs;
    await this.#retry(deadline, 'be set up', async () => {
      await this.#stream.prepare();
      return true;
    });
    this.#maxPartBytes = (connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - MAX_HEADER_BYTES;
    const taken = await this.#takeOverStream(deadline);
    this.#takeOver = taken.first;
    this.#appender = new JetStreamAppender({
      ...this.#settings,
      connection,
      clock,
      stream: this.#stream,
      writer: this.#writer,
      epoch: taken.epoch,
      after: taken.last,
      onStored: (slots, last) => this.#stored(slots, last),
      onFenced: (error) => this.#deposed(error),
      onTrouble: (error) => this.#options.onTrouble?.(error),
    });
    while (this.#appender.last < Math.max(taken.first + MAX_IN_FLIGHT - 1, taken.claimed)) {
      this.#appender.push({ ...TAKE_OVER, payload: Empty });
    }
    await this.#until(this.#appender, this.#appender.last, deadline);
    return taken.epoch;
  }

  async replay(from: Position, visit: (group: Buffer, end: Position) => void): Promise<Position> {
    if (this.#appender === undefined) throw new BrokerError('internal', 'replay of a commit log that is not open');
    if (from >= this.#takeOver) {
      throw new BrokerError(
        'storage-damaged',
        `stream ${this.#stream.name} ends at ${this.#takeOver - 1}, before position ${from}: was it deleted and made again?`,
      );
    }
    let end = from;
    const assembly = new GroupAssembly(this.#stream.name, from, (group, groupEnd) => {
      end = groupEnd;
      visit(group, groupEnd);
    });
    // With the group at `from`, for its author. What comes right after a group's end is never a deposed writer's.
    const after = Math.max(0, from - 1);
    let first: number | undefined;
    await this.#stream.read({ after, upTo: this.#takeOver }, this.#settings.giveUpMs, (sequence, header, data) => {
      first ??= sequence;
      // From 0 means whatever is left; any other position is one up to which groups are known to be unnecessary.
      if (from > 0 && first > from + 1) {
        throw new BrokerError(
          'storage-damaged',
          `stream ${this.#stream.name} begins at sequence ${first}: the groups after position ${from} are gone`,
        );
      }
      assembly.add(sequence, header, data);
    });
    this.#replayed = true;
    return end;
  }

  append(chunks: readonly Uint8Array[], byteLength: number): Position {
    const appender = this.#appender;
    if (this.#closed !== undefined || appender === undefined || !this.#replayed) {
      throw new BrokerError('closed', 'append to a commit log that is not open');
    }
    if (this.#fenced !== undefined) return this.#refuse(this.#fenced);
    const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, byteLength);
    const parts = Math.max(1, Math.ceil(byteLength / this.#maxPartBytes));
    this.#pendingBytes += byteLength;
    for (let part = 1; part <= parts; part++) {
      const payload = bytes.subarray((part - 1) * this.#maxPartBytes, part * this.#maxPartBytes);
      this.#lastPosition = appender.push({ kind: 'group', part, parts, payload });
    }
    return this.#lastPosition;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * A purge cannot be fenced: the engine knows no expected sequence for it. A mark is stored first. That succeeds only if
   * this writer was not deposed, so a writer after it opens later than `truncate` was called, and knows whatever made
   * the groups unnecessary. The mark also stays behind, so the stream is never empty and always shows the newest epoch.
   */
  async truncate(upTo: Position): Promise<void> {
    const appender = this.#appender;
    if (appender === undefined || this.#closed !== undefined) {
      throw new BrokerError('closed', 'truncate of a commit log that is not open');
    }
    const before = Math.min(upTo, appender.stored);
    if (before < 1) return;
    const deadline = this.#options.clock.monotonic() + this.#settings.giveUpMs;
    if (appender.full) await this.#checkNotDeposed(appender.stored);
    else {
      const mark = appender.push({ kind: 'mark', part: 1, parts: 1, payload: Empty });
      await this.#until(appender, mark, deadline);
    }
    await this.#retry(deadline, 'be purged', async () => {
      await this.#stream.purge(before);
      return true;
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const appender = this.#appender;
    if (appender === undefined) return;
    try {
      if (this.#fenced !== undefined || !this.#replayed) return;
      const deadline = this.#options.clock.monotonic() + this.#settings.giveUpMs;
      await this.#until(appender, appender.last, deadline);
    } catch (error) {
      // Being deposed meanwhile has been told: then nothing is under way any more.
      if (!(error instanceof BrokerError && error.code === 'fenced')) throw error;
    } finally {
      appender.stop(new BrokerError('closed', 'the commit log was closed'));
    }
  }

  /**
   * Stores take-over messages: answers the sequence of the first, the last up to which the stream is known, and the last
   * for which a message may still be under way.
   */
  async #takeOverStream(deadline: number): Promise<{ epoch: number; first: number; last: number; claimed: number }> {
    const { clock } = this.#options;
    const survey = await this.#retry(deadline, 'be read', () => this.#survey());
    let claimed = 0;
    return this.#retry(deadline, 'be taken over', async () => {
      await this.#look(survey);
      if (survey.ours === undefined) {
        const { lastSequence } = await this.#stream.state();
        claimed = lastSequence + MAX_IN_FLIGHT;
        await this.#claim(survey.newestEpoch + 1, lastSequence);
        // Who else takes over at the same time should not be in step.
        await new Promise<void>((resolve) => clock.setTimer(this.#options.random.float() * MAX_PAUSE_MS, resolve));
        await this.#look(survey);
      }
      return survey.ours && { ...survey.ours, last: survey.last, claimed };
    });
  }

  /**
   * Finds the newest epoch. It is that of the newest message of any other kind than take-over, or of a take-over message
   * behind it or among the `MAX_IN_FLIGHT` before it: there may be any number of take-over messages of writers that died
   * before they were in office, with whatever epoch they hoped for.
   */
  async #survey(): Promise<Survey> {
    const { lastSequence, messages } = await this.#stream.state();
    if (lastSequence > 0 && messages === 0) {
      throw new BrokerError(
        'storage-damaged',
        `stream ${this.#stream.name} was emptied by somebody: its epochs are lost. Delete it if its messages may be lost too`,
      );
    }
    for (let window = 4 * MAX_IN_FLIGHT; ; window *= 2) {
      const after = Math.max(0, lastSequence - window);
      const survey = new Survey(this.#writer, after);
      await this.#look(survey, lastSequence);
      if (after === 0 || survey.newestOther > after + MAX_IN_FLIGHT) return survey;
    }
  }

  /** Brings the survey up to date. */
  async #look(survey: Survey, upTo?: number): Promise<void> {
    const last = Math.max(survey.last, upTo ?? (await this.#stream.state()).lastSequence);
    await this.#stream.read({ after: survey.last, upTo: last, headersOnly: true }, this.#settings.giveUpMs, survey.add);
  }

  /**
   * Sends a take-over message for each of the next sequences. One alone would hardly ever be in time while the former
   * writer is busy: its expectation is out of date on arrival. So many in a row catch up with it: the first that is not
   * too late is stored, and those after it follow. What became of them shows when the stream is looked at.
   */
  async #claim(epoch: number, after: number): Promise<void> {
    const requests = Array.from({ length: MAX_IN_FLIGHT }, (_, i) =>
      this.#options.connection.request(this.#stream.subject, Empty, {
        headers: encodeHeader({ writer: this.#writer, epoch }, TAKE_OVER, after + 1 + i),
        timeout: this.#settings.requestTimeoutMs,
      }),
    );
    const answers = await Promise.allSettled(requests);
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed !== undefined && answers.every((answer) => answer.status === 'rejected')) throw failed.reason;
  }

  /** For a stream that is full, where no mark fits: its newest message is read instead, from its leader. */
  async #checkNotDeposed(stored: number): Promise<void> {
    const { lastSequence } = await this.#stream.state();
    if (lastSequence <= stored) return;
    const newest = await this.#stream.header(lastSequence);
    if (newest?.writer === this.#writer) return;
    if (newest === undefined) throw new BrokerError('storage-failed', `stream ${this.#stream.name} cannot be read`);
    throw new BrokerError('fenced', `another writer took stream ${this.#stream.name} over`);
  }

  #stored(slots: readonly Slot[], last: number): void {
    if (this.#listener === undefined || !this.#replayed) return;
    let durable: Position | undefined;
    for (const [i, { kind, part, parts, payload }] of slots.entries()) {
      this.#pendingBytes -= payload.length;
      // Only whole groups have an end to be told of: one can be truncated up to there.
      if (kind === 'group' && part === parts) durable = last - slots.length + 1 + i;
    }
    if (durable === undefined) return;
    this.#listener.written(durable);
    this.#listener.durable(durable);
  }

  #deposed(error: BrokerError): void {
    this.#fenced = error;
    this.#lastPosition = Math.max(this.#lastPosition, this.#appender?.last ?? 0);
    if (!this.#replayed) return; // `open` or `replay` tells.
    this.#pendingBytes = 0;
    this.#listener?.failed(error);
  }

  #refuse(error: BrokerError): Position {
    if (!this.#refusing) {
      this.#refusing = true;
      queueMicrotask(() => {
        this.#refusing = false;
        this.#listener?.failed(error);
      });
    }
    return ++this.#lastPosition;
  }

  /** Waits for a sequence to be stored; after the deadline, `storage-failed`. */
  async #until(appender: JetStreamAppender, sequence: number, deadline: number): Promise<void> {
    const { clock } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.setTimer(Math.max(0, deadline - clock.monotonic()), () => {
      late.reject(
        new BrokerError(
          'storage-failed',
          `stream ${this.#stream.name} took no messages in time: whether those after ${appender.stored} are stored is not known`,
        ),
      );
    });
    try {
      await Promise.race([appender.until(sequence), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** Repeats something that may be done twice until it answers. Our own errors are final, but `storage-failed`. */
  async #retry<T>(deadline: number, what: string, attempt: () => Promise<T | undefined>): Promise<T> {
    const { clock } = this.#options;
    for (;;) {
      let cause: unknown;
      try {
        const answer = await attempt();
        if (answer !== undefined) return answer;
      } catch (error) {
        if (error instanceof BrokerError && error.code !== 'storage-failed') throw error;
        cause = error;
      }
      if (clock.monotonic() > deadline) {
        throw new BrokerError(
          'storage-failed',
          `stream ${this.#stream.name} could not ${what} in ${this.#settings.giveUpMs} ms: ${toBrokerError(cause).message}`,
          { cause },
        );
      }
      await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
  }
}

/** What a new writer has to know of the stream. */
class Survey {
  /** Everything up to this sequence has been looked at. */
  last: number;
  /** The newest message that is no take-over message; 0 when there is none. */
  newestOther = 0;
  /** Of the other writers. */
  newestEpoch = 0;
  /** The first of our take-over messages that no other writer's came after, if our epoch is the newest. */
  ours: { readonly epoch: number; readonly first: number } | undefined;
  readonly #writer: string;

  constructor(writer: string, after: number) {
    this.#writer = writer;
    this.last = after;
  }

  readonly add = (sequence: number, { writer, epoch, kind }: MessageHeader): void => {
    this.last = sequence;
    if (kind !== 'take-over') this.newestOther = sequence;
    if (writer !== this.#writer) {
      this.newestEpoch = Math.max(this.newestEpoch, epoch);
      if (kind === 'take-over') this.ours = undefined;
    } else if (epoch > this.newestEpoch) this.ours ??= { epoch, first: sequence };
  };
}

/** Puts groups together again from a stream's messages in order, and leaves out what a deposed writer stored too late. */
class GroupAssembly {
  readonly #stream: string;
  readonly #from: Position;
  readonly #visit: (group: Buffer, end: Position) => void;
  /** Whose messages count: who took over last. */
  #writer: string | undefined;
  #parts: Buffer[] = [];

  constructor(stream: string, from: Position, visit: (group: Buffer, end: Position) => void) {
    this.#stream = stream;
    this.#from = from;
    this.#visit = visit;
  }

  add(sequence: number, header: MessageHeader, data: Uint8Array): void {
    if (header.kind === 'take-over' || this.#writer === undefined) {
      // What the former writer had stored of a group is all there will be of it.
      if (header.writer !== this.#writer) this.#parts = [];
      this.#writer = header.writer;
    }
    if (header.writer !== this.#writer) return;
    if (sequence <= this.#from) return;
    if (header.kind !== 'group') {
      if (this.#parts.length > 0) throw this.#damaged(sequence, 'the group before it has no end');
      return;
    }
    if (header.part !== this.#parts.length + 1) throw this.#damaged(sequence, 'a part of its group is missing');
    this.#parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    if (header.part < header.parts) return;
    const [only] = this.#parts;
    const group = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#visit(group, sequence);
  }

  #damaged(sequence: number, what: string): BrokerError {
    return new BrokerError('storage-damaged', `stream ${this.#stream}, sequence ${sequence}: ${what}`);
  }
}
