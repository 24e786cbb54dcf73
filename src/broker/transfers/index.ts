export { Destinations, type TransferDestination } from './destinations.ts';
export { type MessageCriteria, MessageFilter } from './message-filter.ts';
export { type MessageAt, QueueTransfer } from './queue-transfer.ts';
export { REDRIVE_GROUP, RedrivePositions } from './redrive-positions.ts';
export { StreamRedrive } from './stream-redrive.ts';
export type { SkipReason, Transfer, TransferDescription, TransferKind, TransferState } from './transfer.ts';
export { MAX_FINISHED_TRANSFERS, MAX_RUNNING_TRANSFERS, Transfers } from './transfers.ts';
