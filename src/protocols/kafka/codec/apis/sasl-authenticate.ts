import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bytes, int16, int64, string } from '../schema.ts';

/** v1: how long the session lives (KIP-368); v2: flexible. */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: { authBytes: bytes() },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1, default: 0 }),
  },
});

export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticate>;
export type SaslAuthenticateResponse = ResponseInput<typeof saslAuthenticate>;
