import { Pattern, TRANSACTION_STATES, type TransactionState } from '../../../broker/index.ts';
import { listTransactions } from '../codec/apis/list-transactions.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

/** All transactional ids, or those in some states, of some producers, open for so long, or whose name matches. */
export const listTransactionsHandler = handler(
  listTransactions,
  ({ stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }, { broker }) => {
    const states = stateFilters.filter((state): state is TransactionState => KNOWN.has(state));
    const unknownStateFilters = stateFilters.filter((state) => !KNOWN.has(state));
    let matches: ((id: string) => boolean) | undefined;
    try {
      if (transactionalIdPattern !== null && transactionalIdPattern !== '') {
        // A whole id has to match.
        const pattern = Pattern.compile(`^(?:${transactionalIdPattern})$`);
        matches = (id) => pattern.matches(id);
      }
    } catch {
      return { errorCode: KafkaError.INVALID_REGULAR_EXPRESSION, unknownStateFilters, transactionStates: [] };
    }
    // Whoever asks for states that there are not, and for no others, is answered none.
    const found =
      stateFilters.length > 0 && states.length === 0
        ? []
        : broker.transactions.list({
            states,
            producerIds: producerIdFilters,
            minDurationMs: durationFilter,
            ...(matches !== undefined && { matches }),
          });
    return {
      errorCode: KafkaError.NONE,
      unknownStateFilters,
      transactionStates: found.map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
    };
  },
  { answersMuch: true },
);

const KNOWN: ReadonlySet<string> = new Set(TRANSACTION_STATES);
