import { isUtf8 } from 'node:buffer';
import { type ClientOrigin, isScramMechanism, type User, type Users } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import type { SaslMechanism } from './settings.ts';

/*
 *   PLAIN  [authzid] %x00 name %x00 password     (RFC 4616; who acts as another is refused)
 *   SCRAM  two messages each way                 (RFC 5802)
 */

/** What a client is answered, and who it is once that is clear. */
export interface SaslStep {
  readonly answer: Buffer;
  readonly user?: User;
}

/** One login. Takes the client's messages, one after the other; throws `not-authorized`, and then it is over. */
export type SaslExchange = (message: Buffer) => SaslStep;

const NOTHING = Buffer.alloc(0);

export function startSasl(mechanism: SaslMechanism, users: Users, from: ClientOrigin): SaslExchange {
  if (!isScramMechanism(mechanism)) {
    return (message) => {
      const { name, password } = decodePlain(message);
      return { answer: NOTHING, user: users.authenticate(name, password, from) };
    };
  }
  const scram = users.scramExchange(mechanism);
  return (message) => {
    const { answer, user } = scram.next(message);
    return user === undefined ? { answer } : { answer, user: users.authenticateExternal(user, from) };
  };
}

function decodePlain(message: Buffer): { readonly name: string; readonly password: string } {
  if (!isUtf8(message)) throw new BrokerError('not-authorized', 'the message of PLAIN is not UTF-8');
  const [authorization, name, password, ...more] = message.toString().split('\0');
  if (authorization === undefined || !name || password === undefined || more.length > 0)
    throw new BrokerError('not-authorized', 'the message of PLAIN is not as RFC 4616 has it');
  if (authorization !== '' && authorization !== name)
    throw new BrokerError('not-authorized', `user '${name}' wants to act as another user`);
  return { name, password };
}
