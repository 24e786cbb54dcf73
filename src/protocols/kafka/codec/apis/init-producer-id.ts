import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bool, int16, int32, int64, string } from '../schema.ts';

/**
 * v2: flexible; v3: an epoch bumped by the producer that has it (KIP-360); v4: PRODUCER_FENCED as an error of its
 * own; v5: KIP-890; v6: two-phase commit (KIP-939), not final in Kafka 4.1.
 */
export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  lastStable: 5,
  flexible: 2,
  request: {
    transactionalId: string({ nullable: true }),
    transactionTimeoutMs: int32(),
    producerId: int64({ since: 3, default: -1 }),
    producerEpoch: int16({ since: 3, default: -1 }),
    enable2Pc: bool({ since: 6, default: false }),
    keepPreparedTxn: bool({ since: 6, default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64({ since: 6, default: -1 }),
    ongoingTxnProducerEpoch: int16({ since: 6, default: -1 }),
  },
});

export type InitProducerIdRequest = RequestOf<typeof initProducerId>;
export type InitProducerIdResponse = ResponseInput<typeof initProducerId>;
