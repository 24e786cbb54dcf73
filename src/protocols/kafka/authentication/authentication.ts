import type { Socket } from 'node:net';
import { type Act, type Broker, type ClientAccess, isLoopback, LoginError, type User } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { apiVersions } from '../codec/apis/api-versions.ts';
import { saslAuthenticate } from '../codec/apis/sasl-authenticate.ts';
import { saslHandshake } from '../codec/apis/sasl-handshake.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { PROTOCOL } from '../protocol.ts';
import { certificatePrincipal } from './certificate-principal.ts';
import { type SaslExchange, type SaslStep, startSasl } from './sasl-exchange.ts';
import type { AuthenticationSettings, SaslMechanism } from './settings.ts';

const ANONYMOUS = 'ANONYMOUS';
const NOTHING = Buffer.alloc(0);
/** What a client may ask that has not shown who it is: which it must, to find out how to. */
const OPEN_APIS: ReadonlySet<number> = new Set([apiVersions.key, saslHandshake.key, saslAuthenticate.key]);

/** A login that is under way. */
interface Login {
  readonly mechanism: SaslMechanism;
  /** Its messages come without Kafka's framing (the handshake was version 0). */
  readonly bare: boolean;
  readonly exchange: SaslExchange;
}

/** How one message of a login went. A login that failed ends the connection, once the client was told. */
export interface LoginStep {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly answer: Buffer;
  /** Milliseconds for which the client is who it has shown to be; 0 for ever. */
  readonly lifetimeMs: number;
  /** For the log. */
  readonly reason?: string;
}

/** Who the client of one connection is. */
export class Authentication {
  readonly #broker: Broker;
  readonly #settings: AuthenticationSettings;
  readonly #host: string;
  readonly #loopback: boolean;
  #name: string;
  #user: User | undefined;
  #access: ClientAccess;
  #mechanism: SaslMechanism | undefined;
  #login: Login | undefined;
  /** By the monotonic clock. */
  #expiresAt = Number.POSITIVE_INFINITY;
  #mayBeAnonymous: boolean;

  constructor(broker: Broker, settings: AuthenticationSettings, socket: Socket) {
    this.#broker = broker;
    this.#settings = settings;
    this.#host = hostOf(socket.remoteAddress);
    this.#loopback = isLoopback(socket.remoteAddress);
    const distinguishedName = certificatePrincipal(socket);
    const certificate = distinguishedName && settings.principalRules.nameOf(distinguishedName);
    this.#name = certificate ?? ANONYMOUS;
    this.#access = this.#accessOf(this.#name);
    const { sasl } = settings;
    // Whom the rules give no name is nobody, and not everybody either.
    const isNameless = distinguishedName !== undefined && certificate === undefined;
    this.#mayBeAnonymous =
      !isNameless &&
      (sasl === 'off' || sasl === 'optional' || (sasl === 'remote' && (this.#loopback || certificate !== undefined)));
  }

  /** The name of the principal, without its type: `anna`, `CN=anna`, `ANONYMOUS`. */
  get name(): string {
    return this.#name;
  }

  /** What it logged in as. */
  get user(): User | undefined {
    return this.#user;
  }

  get access(): ClientAccess {
    return this.#access;
  }

  /** It may ask for more than how to log in. */
  get isAdmitted(): boolean {
    return this.#user !== undefined || this.#mayBeAnonymous;
  }

  /** The next frame is a message of a login, and nothing else. */
  get expectsBareMessage(): boolean {
    return this.#login?.bare === true;
  }

  /** Throws `not-authorized` for a request that the client cannot make as who it is now. */
  check(apiKey: number): void {
    if (this.#login !== undefined && apiKey !== saslAuthenticate.key)
      throw new BrokerError('not-authorized', 'a request came in the middle of a login');
    if (OPEN_APIS.has(apiKey)) return;
    if (!this.isAdmitted)
      throw new BrokerError(
        'not-authorized',
        `the client has to log in before it asks for anything (kafka.sasl is '${this.#settings.sasl}'), or show a certificate that kafka.principalMappingRules give a name`,
      );
    if (this.#user !== undefined && this.#broker.environment.clock.monotonic() > this.#expiresAt)
      throw new BrokerError('not-authorized', 'the client has not logged in again in time (kafka.maxReauthMs)');
  }

  /** Begins a login; also one after another, by which the client stays who it is. */
  handshake(
    mechanism: string,
    version: number,
  ): { readonly errorCode: number; readonly mechanisms: readonly string[] } {
    const { sasl, mechanisms } = this.#settings;
    if (sasl === 'off') return { errorCode: KafkaError.ILLEGAL_SASL_STATE, mechanisms: [] };
    const known = mechanisms.find((each) => each === mechanism);
    if (known === undefined) return { errorCode: KafkaError.UNSUPPORTED_SASL_MECHANISM, mechanisms };
    const exchange = startSasl(known, this.#broker.users, { loopback: this.#loopback });
    this.#login = { mechanism: known, bare: version === 0, exchange };
    return { errorCode: KafkaError.NONE, mechanisms };
  }

  /** Takes the next message of the login. */
  next(message: Buffer): LoginStep {
    const login = this.#login;
    if (login === undefined) {
      const errorMessage = 'SaslAuthenticate request received without a SaslHandshake before it';
      return { errorCode: KafkaError.ILLEGAL_SASL_STATE, errorMessage, answer: NOTHING, lifetimeMs: 0 };
    }
    try {
      const step = login.exchange(message);
      if (step.user !== undefined) this.#loggedIn(step.user, login.mechanism);
      const lifetimeMs = step.user === undefined ? 0 : this.#settings.maxReauthMs;
      return { errorCode: KafkaError.NONE, errorMessage: null, answer: (step satisfies SaslStep).answer, lifetimeMs };
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'not-authorized') throw error;
      const user = error instanceof LoginError ? error.user : undefined;
      this.#recordLogin(user, { outcome: 'refused', reason: `${login.mechanism} login refused: ${error.message}` });
      this.#login = undefined;
      this.#broker.meters.protocol(PROTOCOL).failedLogins++;
      return {
        errorCode: KafkaError.SASL_AUTHENTICATION_FAILED,
        errorMessage: refusalText(login.mechanism),
        answer: NOTHING,
        lifetimeMs: 0,
        reason: `${login.mechanism} login refused: ${error.message}`,
      };
    }
  }

  #loggedIn(user: User, mechanism: SaslMechanism): void {
    if (this.#user !== undefined && (this.#user !== user || this.#mechanism !== mechanism))
      throw new BrokerError('not-authorized', `'${this.#user.name}' became '${user.name}', or logged in otherwise`);
    const { maxReauthMs } = this.#settings;
    if (maxReauthMs > 0) this.#expiresAt = this.#broker.environment.clock.monotonic() + maxReauthMs;
    this.#login = undefined;
    if (this.#user === user) return;
    this.#user = user;
    this.#mechanism = mechanism;
    this.#name = user.name;
    this.#access = this.#accessOf(user.name);
    this.#recordLogin(user.name, { outcome: 'done', details: { mechanism } });
  }

  #recordLogin(user: string | undefined, act: Pick<Act, 'outcome' | 'reason' | 'details'>): void {
    const principal = { protocol: 'kafka', user, address: this.#host } as const;
    this.#broker.audit.record(principal, { act: 'login', object: '', ...act });
  }

  #accessOf(name: string): ClientAccess {
    return this.#broker.authorizer.accessOf({ principal: `User:${name}`, host: this.#host });
  }
}

/** As access-control lists name it: of IPv4 within IPv6 the former. */
function hostOf(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** No more than a client needs to know. */
function refusalText(mechanism: SaslMechanism): string {
  return mechanism === 'PLAIN'
    ? 'Authentication failed: Invalid username or password'
    : `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`;
}
