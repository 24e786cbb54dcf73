import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bytes, int16, int32, int64, string } from '../schema.ts';

/** v2: flexible; v3: who asked for it (KIP-373). */
export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexible: 2,
  request: { owners: array({ principalType: string(), principalName: string() }, { nullable: true }) },
  response: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string({ since: 3, default: '' }),
      tokenRequesterPrincipalName: string({ since: 3, default: '' }),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({ principalType: string(), principalName: string() }),
    }),
    throttleTimeMs: int32({ default: 0 }),
  },
});

export type DescribeDelegationTokenRequest = RequestOf<typeof describeDelegationToken>;
export type DescribeDelegationTokenResponse = ResponseInput<typeof describeDelegationToken>;
