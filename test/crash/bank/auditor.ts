import { KafkaClient, kafkaError } from '../../../src/client/index.ts';
import { fetch } from '../../../src/protocols/kafka/codec/apis/fetch.ts';
import { batchesIn, decodeMarker, recordsIn } from '../../../src/records/index.ts';
import type { RequestTopic } from './accounts.ts';
import type { Ledger } from './ledger.ts';

const RECONNECT_MS = 20;
const READ_COMMITTED = 1;
/** The last version that names topics by their names. */
const FETCH_VERSION = 12;

/**
 * Reads committed records of all topics into a ledger, and goes on when the broker is there again: half of the time from where it was, else from the beginning.
 * As Java's and librdkafka's consumers do it; kafkajs and @platformatic/kafka do not always leave out what was aborted.
 */
export class Auditor {
  readonly #topics: readonly RequestTopic[];
  readonly #address: string;
  readonly #ledger: Ledger;
  #positions = new Map<string, number>();
  #lives = 0;
  #stopping = false;

  constructor(topics: readonly RequestTopic[], address: string, ledger: Ledger) {
    this.#topics = topics;
    this.#address = address;
    this.#ledger = ledger;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** Until `stop` is called. Rejects with what the ledger throws. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const client = await this.#connect();
      if (client === undefined) continue;
      if (this.#lives++ % 2 === 1) this.#positions = new Map();
      // Only what the ledger and the records themselves say is wrong: a broker that is gone comes again.
      while (!this.#stopping) {
        const answer = await this.#fetch(client).catch(() => undefined);
        if (answer === undefined) break;
        for (const { topic, partitions } of answer.responses)
          for (const partition of partitions) this.#read(`${topic}-${partition.partitionIndex}`, partition);
      }
      await client.close();
    }
  }

  async #connect(): Promise<KafkaClient | undefined> {
    const [host = '', port = ''] = this.#address.split(':');
    try {
      return await KafkaClient.connect({ host, port: Number(port), clientId: 'auditor', timeoutMs: 10_000 });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      return undefined;
    }
  }

  #fetch(client: KafkaClient) {
    const topics = this.#topics.map(({ topic, partitions }) => ({
      topic,
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        partition,
        fetchOffset: this.#positions.get(`${topic}-${partition}`) ?? 0,
        partitionMaxBytes: 100_000,
      })),
    }));
    const limits = { maxWaitMs: 50, minBytes: 1, maxBytes: 1_000_000, isolationLevel: READ_COMMITTED };
    return client.request(fetch, { ...limits, topics }, { maxVersion: FETCH_VERSION });
  }

  #read(place: string, { errorCode, records, abortedTransactions }: Fetched): void {
    if (errorCode !== 0) throw kafkaError(errorCode, place);
    const waiting = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset);
    const aborting = new Set<number>();
    for (const batch of batchesIn(records ?? Buffer.alloc(0))) {
      for (let next = waiting[0]; next !== undefined && next.firstOffset <= batch.lastOffset; next = waiting[0]) {
        aborting.add(next.producerId);
        waiting.shift();
      }
      if (batch.isControl) {
        for (const record of recordsIn(batch.bytes))
          if (decodeMarker(record)?.outcome === 'abort') aborting.delete(batch.producerId);
      } else if (!batch.isTransactional || !aborting.has(batch.producerId)) {
        for (const { offset, value } of recordsIn(batch.bytes)) this.#ledger.read(place, offset, `${value}`);
      }
      this.#positions.set(place, batch.lastOffset + 1);
    }
  }
}

interface Fetched {
  readonly errorCode: number;
  readonly records: Buffer | null;
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[] | null;
}
