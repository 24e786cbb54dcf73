import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bytes, int16, int32, int64 } from '../schema.ts';

/** v2: flexible. */
export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexible: 2,
  request: { hmac: bytes(), renewPeriodMs: int64() },
  response: { errorCode: int16(), expiryTimestampMs: int64(), throttleTimeMs: int32({ default: 0 }) },
});

export type RenewDelegationTokenRequest = RequestOf<typeof renewDelegationToken>;
export type RenewDelegationTokenResponse = ResponseInput<typeof renewDelegationToken>;
