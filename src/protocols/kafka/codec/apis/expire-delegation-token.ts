import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bytes, int16, int32, int64 } from '../schema.ts';

/** v2: flexible. */
export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexible: 2,
  request: { hmac: bytes(), expiryTimePeriodMs: int64() },
  response: { errorCode: int16(), expiryTimestampMs: int64(), throttleTimeMs: int32({ default: 0 }) },
});

export type ExpireDelegationTokenRequest = RequestOf<typeof expireDelegationToken>;
export type ExpireDelegationTokenResponse = ResponseInput<typeof expireDelegationToken>;
