import type { Logger } from '../../environment/logger.ts';
import { BrokerError } from '../../errors.ts';
import { KafkaError } from './codec/error-codes.ts';
import { errorNumber } from './errors.ts';

/** Kafka's number for what a coordinator of transactions threw. Clients that do not know PRODUCER_FENCED are told the older error. */
export function transactionErrorNumber(
  error: unknown,
  { saysFenced }: { readonly saysFenced: boolean },
  logger: Logger,
): number {
  const code = error instanceof BrokerError ? error.code : 'internal';
  switch (code) {
    case 'producer-fenced':
      return saysFenced ? KafkaError.PRODUCER_FENCED : KafkaError.INVALID_PRODUCER_EPOCH;
    case 'storage-failed':
    case 'storage-full':
      return KafkaError.COORDINATOR_NOT_AVAILABLE;
    case 'fenced':
    case 'closed':
      return KafkaError.NOT_COORDINATOR;
    default:
      return errorNumber(error, logger);
  }
}

/**
 * Kafka's number for what came of a batch or of offsets that are part of a transaction. `saysAbortable`: the client knows that it can abort
 * the transaction and go on (KIP-890).
 */
export function participantErrorNumber(
  error: unknown,
  { saysAbortable }: { readonly saysAbortable: boolean },
  otherwise: (error: unknown) => number,
): number {
  const code = error instanceof BrokerError ? error.code : 'internal';
  if (code === 'not-in-transaction')
    return saysAbortable ? KafkaError.TRANSACTION_ABORTABLE : KafkaError.INVALID_TXN_STATE;
  return otherwise(error);
}
