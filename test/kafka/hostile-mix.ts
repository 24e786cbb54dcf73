import { expect, onTestFinished } from 'vitest';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import type { Api } from '../../src/protocols/kafka/codec/api.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { decodeResponse } from '../../src/protocols/kafka/codec/frames.ts';
import { HANDLERS } from '../../src/protocols/kafka/handlers/index.ts';
import { startBroker } from './fixture.ts';
import { LONGEST_WAIT_MS, mutated, numbersNamed, type Present, requestsFor } from './hostile-requests.ts';
import { ask, frameOf, type LogLine, RawClient, recordingLogger } from './raw-client.ts';

const APIS = [...HANDLERS.values()].map(({ api }) => api);
const CLIENT_ID = 'raw';
const HEADER_BYTES = 4 + 8 + 2 + CLIENT_ID.length;
const CONNECTIONS = 4;
const TOPICS = ['here', 'compacted', 'wide'];
const UNKNOWN_SERVER_ERROR = -1;

interface Asked {
  readonly api: Api;
  readonly version: number;
}

/** A connection whose requests are of all kinds, many of them at a time. */
class HostileClient {
  readonly #raw: RawClient;
  /** By correlation id. */
  readonly #asked: Asked[] = [];
  #read = 0;

  constructor(raw: RawClient) {
    this.#raw = raw;
  }

  get isClosed(): boolean {
    return this.#raw.isClosed;
  }

  destroy(): void {
    this.#raw.destroy();
  }

  send(random: SeededRandom, present: Present): void {
    const api = APIS[random.below(APIS.length)] as Api; // There is one.
    const version = api.versions[0] + random.below(api.lastStable - api.versions[0] + 1);
    const [request] = requestsFor(api, version, 1, random, present);
    const frame = frameOf(api, version, this.#asked.length, request as never, CLIENT_ID);
    this.#asked.push({ api, version });
    this.#raw.send(random.chance(0.2) ? mutated(frame, HEADER_BYTES, random) : frame);
  }

  /** Throws when an answer is not by its schema, or says that the broker failed. Answers how many there were. */
  check(): number {
    let answers = 0;
    for (; this.#read < this.#raw.frames.length; this.#read++, answers++) {
      const frame = this.#raw.frames[this.#read] ?? Buffer.alloc(0);
      const asked = this.#asked[frame.readInt32BE(0)];
      if (asked === undefined) throw new Error(`${frame.readInt32BE(0)} is answered, which nobody has asked`);
      const { body } = decodeResponse(asked.api, asked.version, frame);
      expect(numbersNamed(body, 'errorCode'), asked.api.name).not.toContain(UNKNOWN_SERVER_ERROR);
    }
    return answers;
  }
}

export interface Survived {
  readonly answers: number;
  /** Of somebody who did nothing wrong meanwhile. */
  readonly healthyAnswers: number;
}

/**
 * Valid and mutated requests of every API there is, in no order, over several connections at once, some of which break off; and time goes by. Throws
 * when the broker fails at any of them, when an answer is not one, or when another client notices.
 */
export async function surviveMix(seed: number, rounds: number): Promise<Survived> {
  const random = new SeededRandom(seed);
  const logger = recordingLogger();
  const broker = await startBroker({
    ...{ logger, clock: 'virtual' },
    settings: {
      storage: { shards: 1 + random.below(3) },
      groups: { minSessionTimeoutMs: 1, initialRebalanceDelayMs: 0 },
      kafka: { authorizer: random.chance(0.5) ? 'acl' : 'off', allowEveryoneIfNoAclFound: true },
      limits: { frameBytes: 1024 * 1024 },
    },
  });
  const port = broker.listeners[0]?.port ?? 0;
  const healthy = await RawClient.connect(port);
  onTestFinished(() => healthy.destroy());
  const topics = TOPICS.map((name) => ({
    ...{ name, numPartitions: 3, replicationFactor: 1, assignments: [] },
    configs: name === 'compacted' ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
  }));
  await ask(healthy, createTopics, 7, { topics, timeoutMs: 1000, validateOnly: false });
  const known = await ask(healthy, metadata, 12, { topics: null });
  const present: Present = {
    ...{ topics: TOPICS, topicIds: known.topics.map(({ topicId }) => topicId) },
    ...{ groups: ['readers', 'others'], members: ['one', ''], transactionalIds: ['open', 'ended'] },
  };
  const clients: HostileClient[] = [];
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  let answers = 0;
  let healthyAnswers = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < CONNECTIONS; i++) {
      if (clients[i]?.isClosed !== false || random.chance(0.02)) {
        clients[i]?.destroy();
        clients[i] = new HostileClient(await RawClient.connect(port));
      }
      for (let count = random.below(6); count > 0; count--) clients[i]?.send(random, present);
    }
    // Whoever does nothing wrong is answered as if there were nobody else.
    expect((await ask(healthy, metadata, 12, { topics: [] })).brokers).toHaveLength(1);
    healthyAnswers++;
    await broker.idle();
    await broker.clock.advance(random.chance(0.1) ? LONGEST_WAIT_MS : random.below(100));
    for (const client of clients) answers += client.check();
    failures(logger.lines, `seed ${seed}, round ${round}`);
  }
  return { answers, healthyAnswers };
}

/** Throws when the log says that something is wrong with the broker. */
function failures(lines: readonly LogLine[], when: string): void {
  const found = lines.filter(({ level, facts }) => level === 'error' || String(facts['err']).includes(' response '));
  const texts = found.map(({ message, facts }) => `${message}: ${(facts['err'] as Error)?.stack ?? facts['err']}`);
  if (texts.length > 0) throw new Error(`${when}: ${texts.join('\n')}`);
}
