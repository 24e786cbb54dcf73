import {
  type Broker,
  EMPTY_TABLE,
  type FieldTable,
  LoginError,
  type Principal,
  type User,
  type VirtualHost,
} from '../../broker/index.ts';
import { type Method, type MethodInput, type MethodName, MIN_FRAME_MAX } from './codec/index.ts';
import { AmqpError } from './errors.ts';
import type { AmqpLimits } from './limits.ts';
import { failureText, logIn, mechanismsFor, type SaslClient } from './sasl.ts';
import { hasCapability, type ServerIdentity, serverProperties } from './server-properties.ts';

export interface HandshakeOptions {
  readonly broker: Broker;
  readonly limits: AmqpLimits;
  readonly identity: Omit<ServerIdentity, 'clusterName'>;
  readonly client: SaslClient;
  send<N extends MethodName>(name: N, fields: MethodInput<N>): void;
}

/** What a handshake ends in. */
export interface Opened {
  readonly user: User;
  readonly virtualHost: VirtualHost;
  /** Who does what the connection does. */
  readonly principal: Principal;
  readonly frameMax: number;
  readonly channelMax: number;
  /** 0 for none. */
  readonly heartbeatSeconds: number;
}

/** A login that failed: the client is told only when it knows authentication_failure_close. */
export class LoginRefused extends AmqpError {
  readonly mayTell: boolean;
  /** What the log says. */
  readonly reason: string;

  constructor(mechanism: string, reason: string, mayTell: boolean) {
    super('ACCESS_REFUSED', failureText(mechanism));
    this.reason = reason;
    this.mayTell = mayTell;
  }
}

/** The beginning of a connection, up to `connection.open`: who the client is, what both sides can, where it goes. */
export class Handshake {
  /** What the client says of itself. */
  clientProperties: FieldTable = EMPTY_TABLE;

  readonly #options: HandshakeOptions;
  #state: 'new' | 'starting' | 'tuning' | 'opening' = 'new';
  #user: User | undefined;
  #tuned = { frameMax: 0, channelMax: 0, heartbeatSeconds: 0 };

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** The client has shown who it is. */
  get knowsUser(): boolean {
    return this.#user !== undefined;
  }

  /** The client speaks AMQP 0-9-1. */
  start(): void {
    const { identity, broker, client, send } = this.#options;
    send('connection.start', {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: serverProperties({ ...identity, clusterName: broker.clusterId }),
      mechanisms: mechanismsFor(client),
      locales: 'en_US',
    });
    this.#state = 'starting';
  }

  /** Takes the next method. Answers what the connection is to be, once that is known. Throws what closes it. */
  next(method: Method): Opened | undefined {
    if (method.name === 'connection.start-ok' && this.#state === 'starting') this.#logIn(method);
    else if (method.name === 'connection.tune-ok' && this.#state === 'tuning') this.#tune(method);
    else if (method.name === 'connection.open' && this.#state === 'opening') return this.#open(method.virtualHost);
    else throw new AmqpError('CHANNEL_ERROR', `unexpected method in connection state ${this.#state}`);
    return undefined;
  }

  #logIn({ clientProperties, mechanism, response }: Method<'connection.start-ok'>): void {
    const { broker, client, limits, send } = this.#options;
    this.clientProperties = clientProperties;
    try {
      this.#user = logIn(broker.users, client, mechanism, response);
    } catch (error) {
      if (!(error instanceof AmqpError && error.reply === 'ACCESS_REFUSED')) throw error;
      const { message: reason, cause } = error;
      const attempted = { ...this.#principal, user: cause instanceof LoginError ? cause.user : undefined };
      broker.audit.record(attempted, { act: 'login', object: '', outcome: 'refused', reason });
      const mayTell = hasCapability(clientProperties, 'authentication_failure_close');
      throw new LoginRefused(mechanism, error.message, mayTell);
    }
    broker.audit.record(this.#principal, { act: 'login', object: '', outcome: 'done', details: { mechanism } });
    const { maxChannels: channelMax, maxFrameBytes: frameMax, heartbeatSeconds: heartbeat } = limits;
    send('connection.tune', { channelMax, frameMax, heartbeat });
    this.#state = 'tuning';
  }

  #tune({ frameMax, channelMax, heartbeat }: Method<'connection.tune-ok'>): void {
    const { limits } = this.#options;
    checkNegotiated('frame_max', frameMax, MIN_FRAME_MAX, limits.maxFrameBytes);
    checkNegotiated('channel_max', channelMax, 1, limits.maxChannels);
    this.#tuned = { frameMax, channelMax, heartbeatSeconds: heartbeat };
    this.#state = 'opening';
  }

  #open(name: string): Opened {
    const { broker, send } = this.#options;
    // Set before the state came to be 'opening'.
    const user = this.#user!;
    const virtualHost = broker.virtualHosts.get(name);
    if (virtualHost === undefined) throw new AmqpError('NOT_ALLOWED', `vhost ${name} not found`);
    if (!user.mayAccess(name))
      throw new AmqpError('NOT_ALLOWED', `access to vhost '${name}' refused for user '${user.name}'`);
    send('connection.open-ok', {});
    return { ...this.#tuned, user, virtualHost, principal: this.#principal };
  }

  get #principal(): Principal {
    return { protocol: 'amqp', user: this.#user?.name, address: this.#options.client.address };
  }
}

function checkNegotiated(what: string, value: number, min: number, max: number): void {
  const detail = what === 'channel_max' && value === 0 ? ' (no limit)' : '';
  if (value !== 0 && value < min) throw refused('lower', 'minimum', min);
  if (value === 0 || value > max) throw refused('higher', 'maximum', max);

  function refused(how: string, limit: string, allowed: number): AmqpError {
    return new AmqpError(
      'NOT_ALLOWED',
      `negotiated ${what} = ${value}${detail} is ${how} than the ${limit} allowed value (${allowed})`,
    );
  }
}
