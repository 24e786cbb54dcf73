import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, string } from '../schema.ts';

/** v0 is followed by bare SASL tokens, without Kafka's framing; v1 by SaslAuthenticate (KIP-152). */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: { mechanism: string() },
  response: { errorCode: int16(), mechanisms: array(string()) },
});

export type SaslHandshakeRequest = RequestOf<typeof saslHandshake>;
export type SaslHandshakeResponse = ResponseInput<typeof saslHandshake>;
