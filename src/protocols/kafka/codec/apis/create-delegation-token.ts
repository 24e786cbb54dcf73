import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bytes, int16, int32, int64, string } from '../schema.ts';

/** v2: flexible; v3: for another owner (KIP-373). */
export const createDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexible: 2,
  request: {
    ownerPrincipalType: string({ since: 3, nullable: true, default: null }),
    ownerPrincipalName: string({ since: 3, nullable: true, default: null }),
    renewers: array({ principalType: string(), principalName: string() }),
    maxLifetimeMs: int64(),
  },
  response: {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string({ since: 3, default: '' }),
    tokenRequesterPrincipalName: string({ since: 3, default: '' }),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32({ default: 0 }),
  },
});

export type CreateDelegationTokenRequest = RequestOf<typeof createDelegationToken>;
export type CreateDelegationTokenResponse = ResponseInput<typeof createDelegationToken>;
