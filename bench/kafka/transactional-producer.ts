import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from '../../src/client/index.ts';
import { findCoordinator } from '../../src/protocols/kafka/codec/apis/find-coordinator.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';

/** Who a producer is, in its next transaction. */
export interface Producer {
  readonly transactionalId: string;
  readonly producerId: number;
  producerEpoch: number;
}

const TRANSACTION_KEY = 1;
const TIMEOUT_MS = 60_000;
/** A broker makes the coordinator's log when it is first asked for. */
const TRIES = 200;
const WAIT_MS = 100;
const COMING: ReadonlySet<number> = new Set([
  KafkaError.COORDINATOR_NOT_AVAILABLE,
  KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  KafkaError.NOT_COORDINATOR,
  KafkaError.CONCURRENT_TRANSACTIONS,
]);

/** Has the broker give a producer its id and epoch. */
export async function beginProducer(client: KafkaClient, transactionalId: string): Promise<Producer> {
  await whileComing('FindCoordinator', async () => {
    const asked = { key: transactionalId, keyType: TRANSACTION_KEY, coordinatorKeys: [transactionalId] };
    const { errorCode, coordinators } = await client.request(findCoordinator, asked);
    return { errorCode: coordinators[0]?.errorCode ?? errorCode };
  });
  return await whileComing('InitProducerId', async () => {
    const asked = { transactionalId, transactionTimeoutMs: TIMEOUT_MS };
    const { errorCode, producerId, producerEpoch } = await client.request(initProducerId, asked);
    return { errorCode, transactionalId, producerId: Number(producerId), producerEpoch };
  });
}

async function whileComing<Answer extends { readonly errorCode: number }>(
  what: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (answer.errorCode === KafkaError.NONE) return answer;
    if (!COMING.has(answer.errorCode) || tries === TRIES) throw new Error(`${what}: error ${answer.errorCode}`);
    await delay(WAIT_MS);
  }
}
