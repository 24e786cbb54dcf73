import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { int16, int32, int64, string } from '../schema.ts';

/** v3: flexible; v4: KIP-890, after which clients need not send it. */
export const addOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: { throttleTimeMs: int32({ default: 0 }), errorCode: int16() },
});

export type AddOffsetsToTxnRequest = RequestOf<typeof addOffsetsToTxn>;
export type AddOffsetsToTxnResponse = ResponseInput<typeof addOffsetsToTxn>;
