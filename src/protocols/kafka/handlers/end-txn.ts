import { endTxn } from '../codec/apis/end-txn.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { transactionErrorNumber } from '../transaction-errors.ts';

/** From this version on a fenced producer is told so. */
const SAYS_FENCED = 2;
/** From this version on a producer goes on with the epoch that it is answered (KIP-890). */
const EPOCH_PER_TRANSACTION = 5;

/** Commits or aborts a transaction. Answered when its markers are durable. */
export const endTxnHandler = handler(endTxn, async (request, { broker, logger, version }) => {
  const { transactionalId, committed } = request;
  try {
    const { producerId, producerEpoch } = await broker.transactions.coordinatorOf(transactionalId).end({
      ...request,
      outcome: committed ? 'commit' : 'abort',
      epochPerTransaction: version >= EPOCH_PER_TRANSACTION,
    });
    return { errorCode: KafkaError.NONE, producerId, producerEpoch };
  } catch (error) {
    return { errorCode: transactionErrorNumber(error, { saysFenced: version >= SAYS_FENCED }, logger) };
  }
});
