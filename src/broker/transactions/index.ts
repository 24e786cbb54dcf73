export { DEFAULT_TRANSACTION_SETTINGS, type TransactionSettings } from './settings.ts';
export {
  type EndRequest,
  type ProducerIdentity,
  TRANSACTION_STATES,
  type Transaction,
  type TransactionState,
} from './transaction.ts';
