import type { KafkaClient } from '../../src/client/index.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { awaitCoordinator, whileComing } from './coordinator.ts';

/** Who a producer is, in its next transaction. */
export interface Producer {
  readonly transactionalId: string;
  readonly producerId: number;
  producerEpoch: number;
}

const TIMEOUT_MS = 60_000;

/** Has the broker give a producer its id and epoch. */
export async function beginProducer(client: KafkaClient, transactionalId: string): Promise<Producer> {
  await awaitCoordinator(client, 'transaction', transactionalId);
  return await whileComing('InitProducerId', async () => {
    const asked = { transactionalId, transactionTimeoutMs: TIMEOUT_MS };
    const { errorCode, producerId, producerEpoch } = await client.request(initProducerId, asked);
    return { errorCode, transactionalId, producerId: Number(producerId), producerEpoch };
  });
}
