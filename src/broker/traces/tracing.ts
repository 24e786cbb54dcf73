import type { Clock } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import { type EventType, LAYOUTS, type LeaveReason, type Settlement } from './event.ts';
import { identityOf, sampleHash } from './message-identity.ts';
import type { MessageSpans } from './message-spans.ts';
import { hashAt, hashNumber, hashText, Participant, Place } from './place.ts';
import { Selection } from './selection.ts';
import { DEFAULT_TRACING_SETTINGS, type TracingSettings } from './settings.ts';
import { TraceLog } from './trace-log.ts';
import type { TracedAt, TracedDelivery, TracedPartition, TracedPublish, TracedQueue } from './traced.ts';

interface Opened {
  readonly shard: Shard;
  readonly configured: TracingSettings;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

const SETTINGS_OBJECT = 'settings';
/** Of the streams' topics. */
const ROOT = '/';

/**
 * Writes down what happens to messages, where that is wanted. Whoever does something with a message asks `on` before calling: while it is
 * false, that one look is all that tracing costs. Nothing here throws, waits, or is waited for.
 */
export class Tracing {
  /** Whether anybody wants to know. */
  on = false;
  #recording = false;
  #spans: MessageSpans | undefined;

  readonly #clock: Clock;
  #opened: Opened | undefined;
  #log: TraceLog | undefined;
  #settings = DEFAULT_TRACING_SETTINGS;
  #selection = new Selection(DEFAULT_TRACING_SETTINGS, 0);
  #generation = 0;
  #overridden = false;
  #idHeader = Buffer.from(DEFAULT_TRACING_SETTINGS.idHeader);
  /** The number that the next message gets that is published. Those of former runs are smaller. */
  #nextTrace: number;
  /** Who does not say who it is: a delivery that is traced has somebody it is for. */
  readonly #somebody = new Participant({ protocol: '', user: '', connection: '', client: '' });

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nextTrace = clock.now() * 1000;
  }

  /** With what was set while the broker ran before, else as configured. */
  async open(opened: Opened): Promise<void> {
    this.#opened = opened;
    const retention = { bytes: opened.configured.retentionBytes, ms: opened.configured.retentionMs };
    const log = new TraceLog({ ...opened, clock: this.#clock }, retention);
    this.#log = log;
    const saved = await log.loadObject(SETTINGS_OBJECT);
    const settings = saved === undefined || saved.length === 0 ? undefined : parseSettings(saved, opened);
    this.#overridden = settings !== undefined;
    this.#apply(settings ?? opened.configured);
  }

  get settings(): TracingSettings {
    return this.#settings;
  }

  /** Whether the settings were made while the broker ran, and are not those of the configuration. */
  get overridden(): boolean {
    return this.#overridden;
  }

  get log(): TraceLog | undefined {
    return this.#log;
  }

  /** From now on, and after the next start; undefined for what is configured. */
  async configure(settings: TracingSettings | undefined): Promise<void> {
    if (this.#log === undefined || this.#opened === undefined) return;
    await this.#log.saveObject(SETTINGS_OBJECT, Buffer.from(settings === undefined ? '' : JSON.stringify(settings)));
    this.#overridden = settings !== undefined;
    this.#apply(settings ?? this.#opened.configured);
  }

  close(): void {
    this.on = false;
    this.#recording = false;
    this.#log?.close();
  }

  /** Spans of what is done with messages, where somebody takes them. */
  get spans(): MessageSpans | undefined {
    return this.#spans;
  }

  set spans(spans: MessageSpans | undefined) {
    this.#spans = spans;
    this.on = this.#recording || spans !== undefined;
  }

  // What happens. Each only when `on`.

  /** A message is about to be published: answers the number by which its trace goes, or 0 when it is not traced. */
  begin(
    message: MessageBytes,
    virtualHost: string,
    exchange: string,
    targets: readonly { readonly name: string }[],
  ): number {
    const selection = this.#selection;
    if (selection.isOff || !selection.route(virtualHost, exchange, targets)) return 0;
    if (!selection.takesAll && !selection.samples(sampleHash(message))) return 0;
    return this.#nextTrace++;
  }

  /** What `begin` gave a number to was published, or was not. */
  published(
    trace: number,
    message: MessageBytes,
    { how, outcome, by, virtualHost, dueAt = 0, from }: TracedPublish,
  ): void {
    const place = from === undefined ? undefined : this.#queuePlace(from.queue);
    const log = this.#begin('published', place, by);
    if (log === undefined) return;
    const { writer } = log;
    const { messageId, key, traceparent } = identityOf(message, this.#idHeader);
    const { routingKey } = message;
    writer.number(trace);
    writer.choice(LAYOUTS.published.how, how);
    writer.choice(LAYOUTS.published.outcome, outcome);
    writer.reference(by);
    writer.text(virtualHost);
    const { address, addressStart } = message;
    writer.utf8(address, addressStart + 1, addressStart + 1 + (address[addressStart] ?? 0));
    writer.text(routingKey);
    writer.text(messageId);
    writer.text(key);
    writer.text(traceparent);
    writer.number(message.bodyLength);
    writer.number(dueAt);
    writer.reference(place);
    writer.number(from?.lane ?? 0);
    writer.number(from?.offset ?? 0);
    log.indexed(hashNumber(trace));
    if (messageId !== '') log.indexed(hashText(messageId));
    if (key !== '') log.indexed(hashText(key));
    if (routingKey !== '' && routingKey !== key) log.indexed(hashText(routingKey));
    if (from !== undefined && place !== undefined) log.indexed(hashAt(place.hash, from.lane, from.offset));
    this.#end(log);
  }

  storedInQueue(trace: number, queue: TracedQueue, lane: number, offset: number): void {
    this.#stored(trace, this.#queuePlace(queue), lane, offset);
  }

  storedInStream(trace: number, streamName: string, partition: TracedPartition, offset: number): void {
    this.#stored(trace, partitionPlace(streamName, partition), 0, offset);
  }

  /** What was published under the numbers from `first` to `last` is as safe as it is to be, or lost. */
  settled(first: number, last: number, lost: boolean): void {
    const log = this.#begin('settled', undefined, undefined);
    if (log === undefined) return;
    log.writer.number(first);
    log.writer.number(last);
    log.writer.flag(lost);
    for (let trace = first; trace <= last; trace++) log.indexed(hashNumber(trace));
    this.#end(log);
  }

  delivered(
    delivery: TracedDelivery,
    message: MessageBytes,
    by: Participant | undefined,
    consumer: string,
    noAck: boolean,
  ): void {
    delivery.span = this.#spans?.delivered(message, delivery.queue, by, noAck);
    const place = this.#queuePlace(delivery.queue);
    const selection = this.#selection;
    if (selection.isOff || !selection.place(place)) return;
    if (!selection.takesAll && !selection.samples(sampleHash(message))) return;
    const receiver = by ?? this.#somebody;
    delivery.tracedFor = receiver;
    const log = this.#at('delivered', place, delivery, receiver);
    if (log === undefined) return;
    log.writer.reference(receiver);
    log.writer.text(consumer);
    log.writer.number(delivery.deliveryCount);
    log.writer.flag(delivery.redelivered);
    log.writer.flag(noAck);
    this.#end(log);
  }

  acknowledged(delivery: TracedDelivery): void {
    this.#settledBy('acknowledged', delivery);
  }

  rejected(delivery: TracedDelivery): void {
    this.#settledBy('rejected', delivery);
  }

  requeued(delivery: TracedDelivery, count: number, failed: boolean): void {
    if (delivery.span !== undefined) this.#spans?.settled(delivery.span, 'requeue');
    const by = delivery.tracedFor;
    if (by === undefined) return;
    const log = this.#at('requeued', this.#queuePlace(delivery.queue), delivery, by);
    if (log === undefined) return;
    log.writer.reference(by);
    log.writer.number(count);
    log.writer.flag(failed);
    this.#end(log);
  }

  /** A message left its queue, not by an acknowledgement. Without `message`, it is known that it is in the sample. */
  left(at: TracedAt, message: MessageBytes | undefined, reason: LeaveReason, lettered: boolean): void {
    const place = this.#queuePlace(at.queue);
    const selection = this.#selection;
    if (selection.isOff || at.queue.holdsBack || !selection.place(place)) return;
    if (message !== undefined && !selection.takesAll && !selection.samples(sampleHash(message))) return;
    const log = this.#at('left', place, at, undefined);
    if (log === undefined) return;
    log.writer.choice(LAYOUTS.left.reason, reason);
    log.writer.flag(lettered);
    this.#end(log);
  }

  /** Somebody took a message out of a queue, to delete or to move it. Of a sample, moves alone are told: which messages are in it is not known here. */
  removed(at: TracedAt): void {
    if (this.#selection.takesAll) this.left(at, undefined, 'removed', false);
  }

  /** All that waited in a queue is gone. */
  purged(queue: TracedQueue): void {
    const place = this.#queuePlace(queue);
    if (!this.#selection.place(place)) return;
    const log = this.#begin('purged', place, undefined);
    if (log === undefined) return;
    log.writer.reference(place);
    log.indexed(place.hash);
    this.#end(log);
  }

  /** Of pieces of partitions; `end` is the offset after the last record. */
  appended(
    streamName: string,
    partition: TracedPartition,
    offset: number,
    end: number,
    by: Participant | undefined,
  ): void {
    const log = this.#range('appended', partitionPlace(streamName, partition), offset, end, by);
    if (log !== undefined) this.#end(log);
  }

  fetched(
    streamName: string,
    partition: TracedPartition,
    offset: number,
    end: number,
    by: Participant | undefined,
    group = '',
  ): void {
    const log = this.#range('fetched', partitionPlace(streamName, partition), offset, end, by);
    if (log === undefined) return;
    log.writer.text(group);
    this.#end(log);
  }

  committed(
    streamName: string,
    partition: TracedPartition,
    offset: number,
    by: Participant | undefined,
    group: string,
  ): void {
    const place = partitionPlace(streamName, partition);
    if (!this.#selection.place(place)) return;
    const log = this.#begin('committed', place, by);
    if (log === undefined) return;
    log.writer.reference(place);
    log.writer.number(offset);
    log.writer.reference(by);
    log.writer.text(group);
    log.indexed(place.hash);
    this.#end(log);
  }

  acquired(
    streamName: string,
    partition: TracedPartition,
    range: { readonly offset: number; readonly end: number; readonly count: number },
    by: Participant | undefined,
    group: string,
  ): void {
    const log = this.#range('acquired', partitionPlace(streamName, partition), range.offset, range.end, by);
    if (log === undefined) return;
    log.writer.text(group);
    log.writer.number(range.count);
    this.#end(log);
  }

  answered(
    streamName: string,
    partition: TracedPartition,
    range: { readonly offset: number; readonly end: number; readonly settlement: Settlement },
    by: Participant | undefined,
    group: string,
  ): void {
    const log = this.#range('answered', partitionPlace(streamName, partition), range.offset, range.end, by);
    if (log === undefined) return;
    log.writer.text(group);
    log.writer.choice(LAYOUTS.answered.settlement, range.settlement);
    this.#end(log);
  }

  #stored(trace: number, place: Place, lane: number, offset: number): void {
    const log = this.#begin('stored', place, undefined);
    if (log === undefined) return;
    log.writer.number(trace);
    log.writer.reference(place);
    log.writer.number(lane);
    log.writer.number(offset);
    log.indexed(hashNumber(trace));
    log.indexed(hashAt(place.hash, lane, offset));
    this.#end(log);
  }

  #settledBy(type: 'acknowledged' | 'rejected', delivery: TracedDelivery): void {
    if (delivery.span !== undefined) this.#spans?.settled(delivery.span, type === 'rejected' ? 'reject' : 'ack');
    const by = delivery.tracedFor;
    if (by === undefined) return;
    const log = this.#at(type, this.#queuePlace(delivery.queue), delivery, by);
    if (log === undefined) return;
    log.writer.reference(by);
    this.#end(log);
  }

  /** Begins an event about one message in a queue. */
  #at(
    type: EventType,
    place: Place,
    { lane, offset }: { readonly lane: number; readonly offset: number },
    by: Participant | undefined,
  ): TraceLog | undefined {
    const log = this.#begin(type, place, by);
    if (log === undefined) return undefined;
    log.writer.reference(place);
    log.writer.number(lane);
    log.writer.number(offset);
    log.indexed(hashAt(place.hash, lane, offset));
    return log;
  }

  /** Begins an event about a piece of a partition. */
  #range(
    type: EventType,
    place: Place,
    offset: number,
    end: number,
    by: Participant | undefined,
  ): TraceLog | undefined {
    if (this.#selection.isOff || !this.#selection.place(place)) return undefined;
    const log = this.#begin(type, place, by);
    if (log === undefined) return undefined;
    log.writer.reference(place);
    log.writer.number(offset);
    log.writer.number(end);
    log.writer.reference(by);
    log.indexed(place.hash);
    return log;
  }

  #begin(type: EventType, place: Place | undefined, by: Participant | undefined): TraceLog | undefined {
    const log = this.#log;
    if (log === undefined || !this.#recording || !log.admits()) return undefined;
    const now = this.#clock.now();
    log.writer.define(place, by, now);
    log.writer.begin(type, now);
    return log;
  }

  #end(log: TraceLog): void {
    log.writer.end();
    log.written();
  }

  #queuePlace(queue: TracedQueue): Place {
    queue.tracePlace ??= new Place({
      kind: queue.holdsBack ? 'delayed' : 'queue',
      id: queue.logIds[0] ?? '',
      virtualHost: queue.virtualHost,
      name: queue.name,
      partition: 0,
    });
    return queue.tracePlace;
  }

  #apply(settings: TracingSettings): void {
    this.#settings = settings;
    this.#generation++;
    this.#selection = new Selection(settings, this.#generation);
    this.#idHeader = Buffer.from(settings.idHeader);
    if (this.#log !== undefined) this.#log.retention = { bytes: settings.retentionBytes, ms: settings.retentionMs };
    this.#recording = !this.#selection.isOff;
    this.on = this.#recording || this.#spans !== undefined;
  }
}

/** Streams go by their topics' names, in the virtual host that has all of them. */
function partitionPlace(streamName: string, partition: TracedPartition): Place {
  partition.tracePlace ??= new Place({
    kind: 'stream',
    id: partition.log.id,
    virtualHost: ROOT,
    name: streamName,
    partition: partition.index,
  });
  return partition.tracePlace;
}

/** What cannot be read is not worth a start that fails. */
function parseSettings(saved: Buffer, { onTrouble, configured }: Opened): TracingSettings | undefined {
  try {
    return { ...configured, ...(JSON.parse(saved.toString()) as Partial<TracingSettings>) };
  } catch (error) {
    onTrouble(toBrokerError(error), 'the settings of traces cannot be read: those of the configuration count');
    return undefined;
  }
}
