import { BrokerError } from '../../../errors.ts';
import { initProducerId } from '../codec/apis/init-producer-id.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber } from '../errors.ts';
import { handler } from '../handler.ts';
import { transactionErrorNumber } from '../transaction-errors.ts';

const REFUSED = { producerId: -1, producerEpoch: -1 };
/** From this version on a fenced producer is told so. */
const SAYS_FENCED = 4;

/** Gives an idempotent producer its id, and a transactional one its epoch, by which all before it are fenced. */
export const initProducerIdHandler = handler(initProducerId, async (request, { broker, logger, version }) => {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request;
  try {
    if (transactionalId === null)
      return { errorCode: 0, producerId: await broker.producerIds.allocate(), producerEpoch: 0 };
    if (producerId < 0 !== producerEpoch < 0)
      throw new BrokerError('invalid-argument', 'a producer that goes on tells its id and its epoch');
    const expected = producerId < 0 ? undefined : { producerId, producerEpoch };
    const given = await broker.transactions
      .coordinatorOf(transactionalId)
      .init({ transactionalId, timeoutMs, expected });
    return { errorCode: KafkaError.NONE, producerId: given.producerId, producerEpoch: given.producerEpoch };
  } catch (error) {
    const errorCode =
      transactionalId === null
        ? errorNumber(error, logger)
        : transactionErrorNumber(error, { saysFenced: version >= SAYS_FENCED }, logger);
    return { errorCode, ...REFUSED };
  }
});
