import { addOffsetsToTxn } from '../codec/apis/add-offsets-to-txn.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { transactionErrorNumber } from '../transaction-errors.ts';

/** From this version on a fenced producer is told so. */
const SAYS_FENCED = 2;

/** Makes a group part of a transaction, which is to commit offsets of it. */
export const addOffsetsToTxnHandler = handler(addOffsetsToTxn, async (request, { broker, logger, version }) => {
  if (request.groupId === '') return { errorCode: KafkaError.INVALID_GROUP_ID };
  try {
    await broker.transactions.coordinatorOf(request.transactionalId).add(request);
    return { errorCode: KafkaError.NONE };
  } catch (error) {
    return { errorCode: transactionErrorNumber(error, { saysFenced: version >= SAYS_FENCED }, logger) };
  }
});
