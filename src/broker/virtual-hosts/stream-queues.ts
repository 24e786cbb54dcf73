import { toBrokerError } from '../../errors.ts';
import { type StreamQueueSettings, streamConfigOf, streamOfQueue, topicName } from '../streams/stream-of-queue.ts';
import { QueueOverStream } from '../streams/stream-queue.ts';
import type { Streams } from '../streams/streams.ts';

/** The streams that stand under the names of queues. */
export class StreamQueues {
  readonly #streams: Streams;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /** The stream of that name. */
  get(virtualHost: string, name: string): QueueOverStream | undefined {
    const stream = this.#streams.get(topicName(virtualHost, name));
    return stream === undefined ? undefined : new QueueOverStream({ name, virtualHost, stream });
  }

  /** The stream of that name, or one of its partitions. */
  find(virtualHost: string, name: string): QueueOverStream | undefined {
    const found = streamOfQueue(this.#streams, virtualHost, name);
    return found === undefined ? undefined : new QueueOverStream({ name, virtualHost, ...found });
  }

  /** Rejects with what `Streams.create` throws. */
  async create(virtualHost: string, name: string, settings: StreamQueueSettings): Promise<QueueOverStream> {
    const topic = { name: topicName(virtualHost, name), partitions: 1, config: streamConfigOf(settings) };
    return new QueueOverStream({ name, virtualHost, stream: await this.#streams.create(topic) });
  }

  /** Gives the stream other limits; what else somebody set for it stays. */
  configure({ stream }: QueueOverStream, settings: StreamQueueSettings): Promise<void> {
    return this.#streams.configure(stream.name, (own) => ({ ...own, ...streamConfigOf(settings) }));
  }

  /** Also when somebody else does it at the same moment. */
  async delete({ stream }: QueueOverStream): Promise<void> {
    try {
      await this.#streams.delete(stream.name, stream.id);
    } catch (error) {
      if (toBrokerError(error).code !== 'not-found') throw error;
    }
  }
}
