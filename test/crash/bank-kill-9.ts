import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { createTopic, KafkaClient } from '../../src/client/index.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { listOffsets } from '../../src/protocols/kafka/codec/apis/list-offsets.ts';
import { listTransactions } from '../../src/protocols/kafka/codec/apis/list-transactions.ts';
import { SluiceProcess, temporaryDirectory } from '../cli/sluice.ts';
import { hasConfluent, PYTHON } from '../kafka/clients/available.ts';
import { kafkajs, until } from '../kafka/fixture.ts';
import {
  ACCOUNTS_TOPIC,
  KAFKAJS_REQUESTS,
  LIBRDKAFKA_REQUESTS,
  PARTITIONS,
  type RequestTopic,
} from './bank/accounts.ts';
import { Auditor } from './bank/auditor.ts';
import { epochPerTransactionClient, kafkajsClient, platformaticClient } from './bank/clients.ts';
import { KafkajsClerk } from './bank/kafkajs-clerk.ts';
import { type Closing, Ledger, Outcomes } from './bank/ledger.ts';
import { LibrdkafkaClerk } from './bank/librdkafka-clerk.ts';
import { Teller } from './bank/teller.ts';

/** Small, so that files are full and segments written all the time. */
const SETTINGS = {
  SLUICE_STORAGE_SHARDS: '3',
  SLUICE_STORAGE_COMMIT_LOG_FILE_BYTES: String(1024 * 1024),
  SLUICE_STORAGE_TAIL_CACHE_BYTES: '100000',
  SLUICE_STORAGE_MIN_FREE_BYTES: '0',
  SLUICE_GROUPS_MIN_SESSION_TIMEOUT_MS: '1000',
};
/** A broker lives until so many transactions are known to be committed at least, and up to ten times as many. */
const COMMITTED_PER_LIFE = 5;
/** How long nothing may come of it before somebody has to be told what everybody is waiting for. */
const PATIENCE_MS = 60_000;
const PROGRAM = new URL('bank/audit.py', import.meta.url).pathname;
const OVER = new Set(['Empty', 'CompleteCommit', 'CompleteAbort']);

export interface Audited {
  readonly kills: number;
  /** Transactions that are known to be committed, by client; and transfers that are there. */
  readonly committed: ReadonlyMap<string, number>;
  readonly transfers: number;
  /** How often the reader that was there all the time saw no transfer by halves. */
  readonly boundaries: number;
}

/**
 * Kills a broker of its own process while clients of several kinds move money between accounts in transactions, and starts it again on the same data. Throws when
 * a reader of committed records sees half of a transaction, or one that was aborted, or a transfer twice, or does not see what was committed;
 * when readers do not agree; and when something is open in the end.
 */
export async function killUnderTransfers(kills: number, seed: number): Promise<Audited> {
  const random = new SeededRandom(seed);
  const directory = await temporaryDirectory();
  const address = `127.0.0.1:${await freePort()}`;
  let broker = await start(address, directory);
  const topics = [{ topic: ACCOUNTS_TOPIC, partitions: PARTITIONS }, KAFKAJS_REQUESTS];
  if (hasConfluent) topics.push(LIBRDKAFKA_REQUESTS);
  await withClient(address, async (client) => {
    for (const { topic: name, partitions } of topics) await createTopic(client, { name, partitions });
  });

  const outcomes = new Outcomes();
  const ledger = new Ledger(outcomes);
  const auditor = new Auditor(topics, address, ledger);
  const kinds = { kafkajs: kafkajsClient, platformatic: platformaticClient, kip890: epochPerTransactionClient };
  const tellers = Object.entries(kinds).map(
    ([name, connect], i) =>
      new Teller({ name, number: i, connect, address }, topics.slice(1), new SeededRandom(seed * 100 + i), outcomes),
  );
  const clerks = [
    new KafkajsClerk(KAFKAJS_REQUESTS, address, new SeededRandom(seed * 100 + 50), outcomes),
    ...(hasConfluent ? [1, 2] : []).map(
      (i) => new LibrdkafkaClerk(`librdkafka-${i}`, LIBRDKAFKA_REQUESTS, address, seed * 100 + 60 + i, outcomes),
    ),
  ];
  let failure: Error | undefined;
  const running = (parties: readonly { run(): Promise<void> }[]) =>
    Promise.all(
      parties.map((party) =>
        party.run().catch((error: Error) => {
          failure ??= error;
        }),
      ),
    );
  const [auditing, telling, carryingOut] = [running([auditor]), running(tellers), running(clerks)];
  const reaches = async (what: string, holds: () => boolean) => {
    const deadline = performance.now() + PATIENCE_MS;
    await until(() => failure !== undefined || holds() || performance.now() > deadline);
    if (failure !== undefined) throw failure;
    if (holds()) return;
    const troubles = [...tellers, ...clerks].map(({ troubles }) => [...troubles].map(([text, n]) => `${n} × ${text}`));
    throw new Error(`${what}; what clients said:\n${troubles.map((lines) => lines.join('\n')).join('\n--\n')}`);
  };

  for (let i = 0; i < kills; i++) {
    const enough = outcomes.committed.size + COMMITTED_PER_LIFE + random.below(10 * COMMITTED_PER_LIFE);
    await reaches(`after ${i} kills nothing is committed any more`, () => outcomes.committed.size >= enough);
    await kill(broker);
    if (random.chance(0.2)) await killWhileStarting(address, directory, random);
    broker = await start(address, directory);
  }
  for (const teller of tellers) teller.stop();
  await telling;
  await reaches('not everything becomes visible that should', () => ledger.missing().length === 0).catch((error) => {
    throw new Error(`missing: ${ledger.missing().slice(0, 10).join(', ')}`, { cause: error });
  });
  for (const clerk of clerks) clerk.stop();
  await carryingOut;

  await close(address, topics);
  const all = topics.reduce((sum, { partitions }) => sum + partitions, 0);
  await reaches('readers do not get to the end', () => ledger.closed === all);
  auditor.stop();
  await auditing;
  if (failure !== undefined) throw failure;
  ledger.finish();
  await compare(ledger, outcomes, address, topics);
  await withClient(address, (client) => nothingOpen(client, topics));
  const { stderr } = await broker.stop();
  check(stderr);
  return {
    ...{ kills, committed: outcomes.committedByClient() },
    ...{ transfers: ledger.transfers, boundaries: ledger.boundaries },
  };
}

/** What new readers see from the beginning is what was seen all the time. */
async function compare(seen: Ledger, outcomes: Outcomes, address: string, topics: readonly RequestTopic[]) {
  const readers: Ledger[] = [];
  const ledger = new Ledger(outcomes);
  const auditor = new Auditor(topics, address, ledger);
  const auditing = auditor.run();
  await Promise.race([auditing, until(() => ledger.closed === seen.closed)]);
  auditor.stop();
  await auditing;
  readers.push(ledger);
  if (hasConfluent) {
    const { stdout, status, stderr } = spawnSync(PYTHON, [PROGRAM, address, ...topics.map(({ topic }) => topic)], {
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`librdkafka ended with ${status}: ${stderr}`);
    const read = new Ledger(outcomes);
    for (const line of `${stdout}`.trimEnd().split('\n'))
      read.read(...(JSON.parse(line) as [place: string, offset: number, value: string]));
    readers.push(read);
  }
  for (const reader of readers) {
    reader.finish();
    for (const [place, value] of seen.records)
      if (reader.records.get(place) !== value)
        throw new Error(`${place} was ${value}, and a new reader does not see it`);
    if (reader.records.size !== seen.records.size)
      throw new Error(`a new reader sees ${reader.records.size} records, the old one saw ${seen.records.size}`);
  }
}

/** Writes the last record of each partition. */
async function close(address: string, topics: readonly RequestTopic[]) {
  const closing: Closing = { kind: 'closing' };
  const producer = kafkajs(address).producer();
  await producer.connect();
  for (const { topic, partitions } of topics) {
    const messages = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      value: JSON.stringify(closing),
    }));
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

/** Throws when a transaction is open, or when not everything is stable. */
async function nothingOpen(client: KafkaClient, topics: readonly RequestTopic[]): Promise<void> {
  const { transactionStates } = await client.request(listTransactions, { stateFilters: [], producerIdFilters: [] });
  for (const { transactionalId, transactionState } of transactionStates)
    if (!OVER.has(transactionState)) throw new Error(`the transaction of '${transactionalId}' is ${transactionState}`);
  const ends = async (isolationLevel: number) => {
    const asked = topics.map(({ topic: name, partitions }) => ({
      name,
      partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 })),
    }));
    const answer = await client.request(listOffsets, { replicaId: -1, isolationLevel, topics: asked });
    return JSON.stringify(answer.topics);
  };
  const [ended, stable] = [await ends(0), await ends(1)];
  if (ended !== stable) throw new Error(`the partitions end at ${ended}, and are stable up to ${stable}`);
}

function spawn(address: string, directory: string): SluiceProcess {
  const args = ['start', '--listen', `kafka://${address}`, '--data', directory, '--log-level', 'warn'];
  return new SluiceProcess(args, { env: SETTINGS });
}

async function start(address: string, directory: string): Promise<SluiceProcess> {
  const broker = spawn(address, directory);
  await broker.says(/^sluice ready/m);
  return broker;
}

async function kill(broker: SluiceProcess): Promise<void> {
  check((await broker.stop('SIGKILL')).stderr);
}

/** A broker that is killed before it is ready, perhaps in the middle of its recovery or of ending transactions. */
async function killWhileStarting(address: string, directory: string, random: SeededRandom): Promise<void> {
  const starting = spawn(address, directory);
  await new Promise((resolve) => setTimeout(resolve, random.below(800)));
  check((await starting.stop('SIGKILL')).stderr);
}

function check(stderr: string): void {
  if (/damage|missing|internal|unhandled|no coordinator knows/i.test(stderr))
    throw new Error(`the broker said:\n${stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function withClient<T>(address: string, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const [host = '', port = ''] = address.split(':');
  const client = await KafkaClient.connect({ host, port: Number(port) });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
