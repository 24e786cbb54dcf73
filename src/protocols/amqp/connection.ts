import type { Socket } from 'node:net';
import { type Broker, connectionName, endsOf, Participant, stringOf } from '../../broker/index.ts';
import type { Timer } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import type { Channel } from './channel.ts';
import { PROTOCOL } from './channel-meter.ts';
import { type CertificateOptions, clientAt } from './client-address.ts';
import { clientView } from './client-view.ts';
import {
  type AskedProtocol,
  decodeMethod,
  FrameParser,
  type Method,
  type MethodInput,
  type MethodName,
} from './codec/index.ts';
import { ConnectionLog } from './connection-log.ts';
import { AmqpError, type Refusal, refusalOf } from './errors.ts';
import { FrameRouter, type FrameTarget } from './frame-router.ts';
import { Handshake, LoginRefused, type Opened } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { type AmqpLimits, CLOSING_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_DEFERRED_BYTES } from './limits.ts';
import { PublisherPause } from './publisher-pause.ts';
import type { ReplyChannels } from './reply-to.ts';
import type { ServerIdentity } from './server-properties.ts';
import { Session } from './session.ts';
import { SocketOutput } from './socket-output.ts';

/** A peer that is gone without a word is noticed by the system's probes; it sends them after this time. */
const KEEP_ALIVE_MS = 60_000;

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  readonly identity: Omit<ServerIdentity, 'clusterName'>;
  readonly certificates: CertificateOptions;
}

/** One client's socket, from its first byte to its last. */
export class Connection implements FrameTarget {
  /** Resolves when the socket is closed, and nothing of the connection is left in the broker. */
  readonly gone: Promise<void>;

  readonly #options: ConnectionOptions;
  readonly #parser = new FrameParser(new FrameRouter(this));
  readonly #output: SocketOutput;
  readonly #handshake: Handshake;
  readonly #pause: PublisherPause;
  readonly #log: ConnectionLog;
  readonly #closeListeners = new Set<() => void>();
  #phase: 'handshake' | 'open' | 'closing' | 'ended' = 'handshake';
  #session: Session | undefined;
  #unregister = () => {};
  #heartbeat: Heartbeat | undefined;
  /** For the handshake, then for what follows `connection.close`. */
  #deadline: Timer;
  #reading = true;
  /** Class and method on channel 0 that are being handled, for when they fail. */
  #current = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket, broker, limits, identity, certificates, logger } = options;
    this.#log = new ConnectionLog(
      logger,
      socket,
      () => this.#session,
      () => this.#handshake.clientProperties,
    );
    this.#output = new SocketOutput(
      socket,
      () => {
        if (this.#heartbeat !== undefined) this.#heartbeat.spoke = true;
      },
      () => this.#updateReading(),
    );
    const send = <N extends MethodName>(name: N, fields: MethodInput<N>) => this.#send(name, fields);
    const client = clientAt(socket, certificates);
    this.#handshake = new Handshake({ broker, limits, identity, client, send });
    this.#pause = new PublisherPause(broker, {
      resumed: () => this.#updateReading(),
      blocked: (reason) => this.#session?.toldWhenBlocked && send('connection.blocked', { reason }),
      unblocked: () => this.#session?.toldWhenBlocked && send('connection.unblocked', {}),
    });
    this.#deadline = this.#endAfter(HANDSHAKE_TIMEOUT_MS, 'the handshake took too long');
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => this.#log.debug('connection lost', { err: error.message }));
    this.gone = new Promise((resolve) => {
      socket.on('close', () => void this.#onClosed().finally(resolve));
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  /** Nothing is under way, and everything is written. */
  get idle(): boolean {
    return this.#output.unsent === 0 && (this.#session?.idle ?? true);
  }

  /** Undefined until it is open. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Calls back when it is gone. */
  onClose(callback: () => void): void {
    this.#closeListeners.add(callback);
  }

  /** The broker closes: what was published is answered first; then the client is told, and has so long to go. */
  shutDown(graceMs: number): void {
    const { socket } = this.#options;
    const session = this.#session;
    if (this.#phase !== 'open' || session === undefined) {
      this.destroy();
      return;
    }
    socket.setTimeout(graceMs, () => this.destroy());
    this.#phase = 'closing';
    void session.confirmed().then(() => {
      // It may have gone in the meantime.
      if (socket.destroyed) return;
      this.#close(
        refusalOf(new AmqpError('CONNECTION_FORCED', "broker forced connection closure with reason 'shutdown'")),
      );
      this.#output.end();
    });
  }

  /** Ends a connection that may not be any more. */
  forceClose(reason: string): void {
    if (this.#phase === 'open') this.failed(new AmqpError('CONNECTION_FORCED', reason));
    else if (this.#phase === 'handshake') this.destroy();
  }

  destroy(): void {
    this.#options.socket.destroy();
  }

  // Frames that come.

  protocolHeader(asked: AskedProtocol): void {
    if (asked === 'amqp-0-9-1') {
      this.#handshake.start();
      return;
    }
    this.#log.warn('connection closed: the client does not speak AMQP 0-9-1', { asked });
    this.#output.buffer.protocolHeader();
    this.#output.end();
  }

  channel(number: number): Channel | undefined {
    if (this.#phase === 'open' && number !== 0) return this.#session?.channel(number);
    if (this.#phase === 'open' || this.#phase === 'handshake')
      throw new AmqpError('UNEXPECTED_FRAME', `unexpected frame on channel ${number}`);
    return undefined;
  }

  connectionMethod(buffer: Buffer, start: number, end: number): void {
    this.#current = end - start < 4 ? 0 : buffer.readUInt32BE(start);
    const method = decodeMethod(buffer, start, end);
    if (method.name === 'connection.close') this.#closedByClient();
    else if (this.#phase === 'handshake') {
      const opened = this.#handshake.next(method);
      if (opened !== undefined) this.#open(opened);
      else if (method.name === 'connection.tune-ok') this.#tuned(method);
    } else if (this.#phase === 'open') {
      if (method.name !== 'connection.update-secret')
        throw new AmqpError('CHANNEL_ERROR', 'unexpected method in connection state running');
      // Users that there are here do not expire: there is nothing to renew.
      this.#send('connection.update-secret-ok', {});
    } else if (method.name === 'connection.close-ok') this.#output.end();
  }

  #tuned({ frameMax, heartbeat }: Method<'connection.tune-ok'>): void {
    this.#parser.frameMax = frameMax;
    this.#output.buffer.frameMax = frameMax;
    if (heartbeat === 0) return;
    this.#heartbeat = new Heartbeat(this.#options.broker.environment.clock, heartbeat * 1000, {
      beat: () => {
        this.#output.buffer.heartbeat();
        this.#output.wrote();
      },
      lost: () => {
        this.#log.warn('connection closed: the client missed its heartbeats');
        this.destroy();
      },
    });
  }

  #open(opened: Opened): void {
    const { broker, replies, limits } = this.#options;
    this.#deadline.cancel();
    this.#session = new Session({
      broker,
      replies,
      limits,
      opened,
      clientProperties: this.#handshake.clientProperties,
      participant: new Participant({
        protocol: PROTOCOL,
        user: opened.user.name,
        connection: connectionName(endsOf(this.#options.socket)),
        client: stringOf(this.#handshake.clientProperties.get('connection_name')) ?? '',
      }),
      output: this.#output,
      failed: (error, channel) => this.failed(error, channel),
      deferredChanged: () => this.#updateReading(),
    });
    this.#phase = 'open';
    this.#unregister = broker.clients.add(
      clientView({
        ...{ socket: this.#options.socket, session: this.#session, opened },
        properties: this.#handshake.clientProperties,
        connectedAt: broker.environment.clock.now(),
        state: () => (this.#phase !== 'open' ? 'closing' : this.#pause.paused ? 'blocked' : 'running'),
        close: (reason) => this.forceClose(reason),
      }),
    );
    this.#log.debug('connection open');
  }

  /** Exclusive queues are gone when the client hears that the connection is closed. */
  #closedByClient(): void {
    const session = this.#session;
    if (this.#phase === 'open') this.#phase = 'closing';
    const answer = () => {
      this.#send('connection.close-ok', {});
      this.#output.end();
    };
    if (session === undefined) answer();
    else
      void session
        .end()
        .catch((error: unknown) => this.#log.broken(error))
        .then(answer);
    this.#deadline.cancel();
    this.#deadline = this.#endAfter(CLOSING_TIMEOUT_MS, 'the client did not close its side');
  }

  // Bytes.

  #received(chunk: Buffer): void {
    if (this.#heartbeat !== undefined) this.#heartbeat.heard = true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      // Of bytes that are no frames, nothing more is understood.
      this.#current = 0;
      this.failed(error);
      this.#output.end();
    }
    const session = this.#session;
    if (session?.hasPublished) {
      session.hasPublished = false;
      if (this.#pause.published()) this.#updateReading();
    }
    if (this.#output.saturated) this.#updateReading();
  }

  #updateReading(): void {
    const waits =
      this.#phase === 'open' &&
      (this.#pause.paused || this.#output.saturated || (this.#session?.deferredBytes ?? 0) > MAX_DEFERRED_BYTES);
    if (this.#reading !== waits) return;
    this.#reading = !waits;
    if (this.#heartbeat !== undefined) this.#heartbeat.deaf = waits;
    if (waits) this.#options.socket.pause();
    else this.#options.socket.resume();
  }

  #send<N extends MethodName>(name: N, fields: MethodInput<N>): void {
    this.#output.buffer.method(0, name, fields);
    this.#output.wrote();
  }

  // Ends.

  /** Closes the channel or the connection for what went wrong, and says why. */
  failed(error: unknown, channel?: Channel): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') return;
    const refusal = refusalOf(error);
    if (refusal.ours) this.#log.broken(error);
    const number = channel && { channel: channel.number };
    if (channel !== undefined && !refusal.hard) {
      this.#log.debug('channel closed', { ...number, err: refusal.text });
      channel.refuse(refusal);
      return;
    }
    const refused = error instanceof LoginRefused;
    this.#log.warn('connection closed', { ...number, err: refused ? error.reason : refusal.text });
    if (refused) {
      this.#current = 0;
      this.#options.broker.meters.protocol(PROTOCOL).failedLogins++;
    }
    if (refused ? error.mayTell : this.#handshake.knowsUser) this.#close(refusal, channel);
    else {
      // Who is not known is told nothing.
      this.#phase = 'closing';
      this.#output.end();
    }
  }

  #close({ code, text }: Refusal, channel?: Channel): void {
    const current = channel?.current ?? this.#current;
    this.#send('connection.close', {
      replyCode: code,
      replyText: text,
      classId: current >>> 16,
      methodId: current & 0xffff,
    });
    this.#phase = 'closing';
    this.#session?.abandon();
    this.#deadline.cancel();
    this.#deadline = this.#endAfter(CLOSING_TIMEOUT_MS, 'connection.close was not answered');
    this.#updateReading();
  }

  #endAfter(ms: number, why: string): Timer {
    return this.#options.broker.environment.clock.setTimer(ms, () => {
      this.#log.warn(`connection closed: ${why}`);
      this.destroy();
    });
  }

  async #onClosed(): Promise<void> {
    this.#phase = 'ended';
    this.#unregister();
    this.#deadline.cancel();
    this.#heartbeat?.stop();
    this.#pause.stop();
    this.#parser.stop();
    try {
      await this.#session?.end();
    } catch (error) {
      this.#log.broken(error);
    }
    for (const callback of this.#closeListeners) callback();
    this.#closeListeners.clear();
  }
}
