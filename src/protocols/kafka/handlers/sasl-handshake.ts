import { saslHandshake } from '../codec/apis/sasl-handshake.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

/** A client says how it will show who it is. One that cannot do any of it that is there is told what is there, and let go. */
export const saslHandshakeHandler = handler(saslHandshake, ({ mechanism }, { authentication, version, endSoon }) => {
  const answer = authentication.handshake(mechanism, version);
  if (answer.errorCode === KafkaError.UNSUPPORTED_SASL_MECHANISM)
    endSoon('the client knows no mechanism that is there');
  return answer;
});
