import { saslAuthenticate } from '../codec/apis/sasl-authenticate.ts';
import { handler } from '../handler.ts';

/** One message of a login (KIP-152). */
export const saslAuthenticateHandler = handler(saslAuthenticate, ({ authBytes }, { authentication, endSoon }) => {
  const { errorCode, errorMessage, answer, lifetimeMs, reason } = authentication.next(authBytes);
  if (reason !== undefined) endSoon(reason);
  return { errorCode, errorMessage, authBytes: answer, sessionLifetimeMs: lifetimeMs };
});
