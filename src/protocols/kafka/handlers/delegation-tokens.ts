import { createDelegationToken } from '../codec/apis/create-delegation-token.ts';
import { describeDelegationToken } from '../codec/apis/describe-delegation-token.ts';
import { expireDelegationToken } from '../codec/apis/expire-delegation-token.ts';
import { renewDelegationToken } from '../codec/apis/renew-delegation-token.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

// There are no delegation tokens (KIP-48): as in a Kafka broker without `delegation.token.secret.key`.

const errorCode = KafkaError.DELEGATION_TOKEN_AUTH_DISABLED;
const NO_TIME = -1;

export const createDelegationTokenHandler = handler(createDelegationToken, () => ({
  ...{ errorCode, principalType: '', principalName: '', tokenId: '', hmac: Buffer.alloc(0) },
  ...{ issueTimestampMs: NO_TIME, expiryTimestampMs: NO_TIME, maxTimestampMs: NO_TIME },
}));

export const renewDelegationTokenHandler = handler(renewDelegationToken, () => ({
  errorCode,
  expiryTimestampMs: NO_TIME,
}));

export const expireDelegationTokenHandler = handler(expireDelegationToken, () => ({
  errorCode,
  expiryTimestampMs: NO_TIME,
}));

export const describeDelegationTokenHandler = handler(describeDelegationToken, () => ({ errorCode, tokens: [] }));
