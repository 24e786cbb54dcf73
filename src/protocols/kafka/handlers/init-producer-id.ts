import { initProducerId } from '../codec/apis/init-producer-id.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

const REFUSED = { producerId: -1, producerEpoch: -1 };

/** Gives an idempotent producer its id. A producer that bumps its own epoch (KIP-360) gets a new id instead. */
export const initProducerIdHandler = handler(initProducerId, async ({ transactionalId }, { broker, logger }) => {
  // Transactions are not supported yet, and FindCoordinator says so before a client comes here.
  if (transactionalId !== null) {
    return {
      errorCode: transactionalId === '' ? KafkaError.INVALID_REQUEST : KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      ...REFUSED,
    };
  }
  try {
    return { errorCode: 0, producerId: await broker.producerIds.allocate(), producerEpoch: 0 };
  } catch (error) {
    return { errorCode: errorNumber(error, logger), ...REFUSED };
  }
});
