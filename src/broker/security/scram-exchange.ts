import { isUtf8 } from 'node:buffer';
import { BrokerError } from '../../errors.ts';
import { LoginError } from './login-error.ts';
import { isProof, type ScramCredential, type ScramMechanism, serverSignature } from './scram.ts';

/*
 * The server's side of SCRAM (RFC 5802, section 5), without channel binding:
 *
 *   client-first  n,[a=authzid],n=user,r=client-nonce[,extensions]
 *   server-first  r=client-nonce server-nonce,s=salt,i=iterations
 *   client-final  c=base64(what stands before n=),r=nonce,p=proof
 *   server-final  v=signature
 */

const CLIENT_FIRST =
  /^(?<header>n,(?:a=(?<authorization>[^,]*))?,)(?<bare>n=(?<user>[^,]+),r=(?<nonce>[!-+\--~]+)(?<extensions>(?:,[A-Za-z]+=[^,]+)*))$/;
const CLIENT_FINAL =
  /^(?<withoutProof>c=(?<binding>[A-Za-z0-9+/=]+),r=(?<nonce>[!-+\--~]+)(?:,[A-Za-z]+=[^,]+)*),p=(?<proof>[A-Za-z0-9+/=]+)$/;

export interface ScramExchangeOptions {
  readonly mechanism: ScramMechanism;
  /** The server's part of the nonce: printable, without a comma. */
  readonly serverNonce: string;
  /** Of this user; something that nothing matches when there is no such user, so that the client does not learn it. */
  readonly credentialOf: (name: string) => ScramCredential;
}

/** One client that shows that it knows a password. Every method throws `not-authorized`, and then it is over. */
export class ScramExchange {
  readonly #options: ScramExchangeOptions;
  #first:
    | {
        readonly user: string;
        readonly header: string;
        readonly nonce: string;
        readonly credential: ScramCredential;
        /** What both sides sign begins with this. */
        readonly signed: string;
      }
    | undefined;
  #over = false;

  constructor(options: ScramExchangeOptions) {
    this.#options = options;
  }

  /** Takes the client's next message. The user's name is there when it has shown who it is. */
  next(message: Buffer): { readonly answer: Buffer; readonly user?: string } {
    if (this.#over || !isUtf8(message)) throw refused('unexpected message');
    return this.#first === undefined ? this.#clientFirst(message.toString()) : this.#clientFinal(message.toString());
  }

  #clientFirst(message: string) {
    this.#over = true;
    const {
      header,
      authorization,
      bare,
      user: saslName,
      nonce: clientNonce,
      extensions,
    } = groups(CLIENT_FIRST, message);
    const user = plainName(saslName ?? '');
    // A token for a user is another kind of secret, which there is not here.
    if (extensions?.split(',').includes('tokenauth=true')) throw refused('delegation tokens are not supported');
    if (authorization && plainName(authorization) !== user) throw refused('a client acts as itself only');
    const credential = this.#options.credentialOf(user);
    const nonce = `${clientNonce}${this.#options.serverNonce}`;
    const answer = `r=${nonce},s=${credential.salt},i=${credential.iterations}`;
    this.#first = { user, header: header ?? '', nonce, credential, signed: `${bare},${answer}` };
    this.#over = false;
    return { answer: Buffer.from(answer) };
  }

  #clientFinal(message: string) {
    this.#over = true;
    const { mechanism } = this.#options;
    // The caller has seen that it is there.
    const { user, header, nonce, credential, signed } = this.#first!;
    const final = groups(CLIENT_FINAL, message);
    // Before 2.6.1 librdkafka put its own part in front once more; what both sides sign has it as it was sent.
    if (!final['nonce']?.endsWith(nonce)) throw refused('the nonce is not the one that was agreed on');
    if (Buffer.from(final['binding'] ?? '', 'base64').toString() !== header) throw refused('channel binding differs');
    const authMessage = `${signed},${final['withoutProof']}`;
    if (!isProof(mechanism, credential, authMessage, Buffer.from(final['proof'] ?? '', 'base64')))
      throw new LoginError(user, `user '${user}' - invalid credentials`);
    return { user, answer: Buffer.from(`v=${serverSignature(mechanism, credential, authMessage).toString('base64')}`) };
  }
}

function groups(pattern: RegExp, message: string): Readonly<Record<string, string | undefined>> {
  const found = pattern.exec(message);
  if (found === null) throw refused('a message is not as RFC 5802 has it');
  return found.groups ?? {};
}

/** In names a comma is written `=2C`, an equals sign `=3D`. */
function plainName(saslName: string): string {
  if (/=(?!2C|3D)/.test(saslName)) throw refused('a name is not as RFC 5802 has it');
  return saslName.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function refused(why: string): BrokerError {
  return new BrokerError('not-authorized', why);
}
