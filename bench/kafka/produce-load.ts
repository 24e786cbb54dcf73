import type { Histogram } from '../../src/cli/bench/histogram.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { decodeResponse, encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';
import { Schedule } from '../schedule.ts';
import type { BatchTemplate } from './batch-template.ts';
import { LoadConnection } from './load-connection.ts';

/** The last that names topics rather than numbering them; Kafka has it since 4.0. */
export const PRODUCE_VERSION = 12;
/** Where a request's correlation id is, from the start of its frame: size, API key, version. */
const CORRELATION_ID = 8;
const TIMEOUT_MS = 30_000;
const PACE_MS = 1;

export interface ProduceLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  /** Those of this load's partitions. */
  readonly templates: readonly BatchTemplate[];
  readonly acks: 'all' | '1';
  readonly inFlight: number;
  /** Batches per second; Infinity to send whenever fewer than `inFlight` are under way. */
  readonly batchesPerSecond: number;
  /** The load stops by itself after so many. */
  readonly maxBatches: number;
  readonly onAcknowledged?: (() => void) | undefined;
  /** `at`: when the batch was due, in milliseconds of `performance.now()`. */
  readonly onSent?: ((partition: number, at: number) => void) | undefined;
  /** Where the time from a batch being due to its answer goes. */
  readonly latency?: Histogram;
  readonly onFailed: (error: Error) => void;
}

interface Request {
  readonly template: BatchTemplate;
  readonly bytes: Buffer;
  dueAt: number;
}

/** One connection that produces the same batches again and again, and sees to it that each is answered as it must be. */
export class ProduceLoad {
  /** The offset that comes next, by partition; nobody else writes to these, and they were empty before. */
  readonly offsets: Map<number, number>;
  records = 0;
  bytes = 0;
  readonly #options: ProduceLoadOptions;
  #connection: LoadConnection | undefined;
  /** What may be sent next, in this order; each request has bytes of its own, for they are read while they are under way. */
  readonly #free: Request[];
  readonly #pending: Request[] = [];
  /** Only of a paced load. */
  #schedule: Schedule | undefined;
  #pace: NodeJS.Timeout | undefined;
  #sent = 0;
  #stopping = false;
  readonly #finished = Promise.withResolvers<void>();

  private constructor(options: ProduceLoadOptions) {
    this.#options = options;
    this.offsets = new Map(options.templates.map(({ partition }) => [partition, 0]));
    const rounds = Math.ceil(options.inFlight / options.templates.length);
    this.#free = Array.from({ length: rounds }, () => options.templates)
      .flat()
      .map((template) => ({ template, bytes: encodeProduce(options, template), dueAt: 0 }));
  }

  static async open(options: ProduceLoadOptions): Promise<ProduceLoad> {
    const load = new ProduceLoad(options);
    load.#connection = await LoadConnection.open({
      host: options.host,
      port: options.port,
      onFrame: (frame) => load.#answered(frame),
      onLost: options.onFailed,
    });
    return load;
  }

  start(): void {
    if (this.#options.batchesPerSecond !== Number.POSITIVE_INFINITY) {
      const schedule = new Schedule(this.#options.batchesPerSecond, performance.now());
      this.#schedule = schedule;
      this.#pace = setInterval(() => {
        schedule.tick(performance.now());
        this.#send();
      }, PACE_MS);
    }
    this.#send();
  }

  /** Sends no more. Resolves when everything sent is answered; also of itself, after `maxBatches`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#finishIfDone();
    await this.#finished.promise;
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  close(): void {
    clearInterval(this.#pace);
    this.#connection?.end();
  }

  #send(): void {
    const { inFlight, maxBatches, onSent } = this.#options;
    while (!this.#stopping && this.#pending.length < inFlight && this.#sent < maxBatches) {
      if (this.#schedule?.waiting === 0) return;
      const request = this.#free.shift();
      if (request === undefined) return;
      request.dueAt = this.#schedule?.take() ?? performance.now();
      request.bytes.writeInt32BE(this.#sent & 0x7fffffff, CORRELATION_ID);
      this.#sent++;
      this.#pending.push(request);
      onSent?.(request.template.partition, request.dueAt);
      this.#connection?.send(request.bytes);
    }
    if (this.#sent >= maxBatches) this.#stopping = true;
  }

  #answered(frame: Buffer): void {
    const request = this.#pending.shift();
    if (request === undefined) throw new Error('an answer came that nothing was asked for');
    const { template } = request;
    const { correlationId, body } = decodeResponse(produce, PRODUCE_VERSION, frame);
    const expectedId = (this.#sent - this.#pending.length - 1) & 0x7fffffff;
    if (correlationId !== expectedId)
      throw new Error(`request ${expectedId} was answered with correlation id ${correlationId}`);
    const answer = body.responses[0]?.partitionResponses[0];
    if (answer?.errorCode !== 0 || answer.index !== template.partition)
      throw new Error(`produce to partition ${template.partition} was answered ${JSON.stringify(answer)}`);
    const expected = this.offsets.get(template.partition) ?? 0;
    if (Number(answer.baseOffset) !== expected)
      throw new Error(`partition ${template.partition}: base offset ${answer.baseOffset}, expected ${expected}`);
    this.offsets.set(template.partition, expected + template.records);
    this.#options.latency?.record(performance.now() - request.dueAt);
    this.records += template.records;
    this.bytes += template.bytes.length;
    this.#free.push(request);
    this.#options.onAcknowledged?.();
    this.#send();
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (!this.#stopping || this.#pending.length > 0) return;
    clearInterval(this.#pace);
    this.#finished.resolve();
  }
}

function encodeProduce({ topic, acks }: ProduceLoadOptions, { partition, bytes }: BatchTemplate): Buffer {
  return Buffer.concat(
    encodeRequest(produce, PRODUCE_VERSION, 0, 'sluice-bench', {
      acks: acks === 'all' ? -1 : 1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: [bytes] }] }],
    }),
  );
}
