import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bool, int16, int32, int64, string } from '../schema.ts';

/** v3: flexible; v5: answers with the epoch that the next transaction uses (KIP-890). */
export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ since: 5, default: -1 }),
    producerEpoch: int16({ since: 5, default: -1 }),
  },
});

export type EndTxnRequest = RequestOf<typeof endTxn>;
export type EndTxnResponse = ResponseInput<typeof endTxn>;
