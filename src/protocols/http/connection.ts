import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AcceptedConnection } from '../../broker/index.ts';
import type { Clock, Timer } from '../../environment/environment.ts';
import { isOpenEnded } from './event-stream.ts';

/** How long a client may be silent, take to send a request, and take to read the answer. */
const SILENCE_MS = 60_000;
/** Requests that a client may send before the first of them is answered: their answers wait in memory. */
const MAX_UNANSWERED = 16;

export interface ConnectionOptions {
  readonly socket: Socket;
  /** Serves what comes by the socket; undefined when it cannot be had. */
  readonly server: Promise<Server | undefined>;
  readonly clock: Clock;
}

/** One client's socket, on which requests come one after the other. */
export class Connection implements AcceptedConnection {
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Requests that are not answered. */
  readonly #answers = new Set<ServerResponse>();
  #silence: Timer;
  #closing = false;
  /** What serves it is not there yet. */
  #opening = true;

  constructor({ socket, server, clock }: ConnectionOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#silence = this.#watch();
    this.gone = new Promise((resolve) => {
      socket.once('close', () => {
        this.#silence.cancel();
        resolve();
      });
    });
    socket.on('error', () => {});
    void server.then((opened) => this.#serve(opened));
  }

  get idle(): boolean {
    if (this.#opening) return false;
    for (const answer of this.#answers) if (!isOpenEnded(answer)) return false;
    return true;
  }

  onClose(callback: () => void): void {
    this.#socket.once('close', callback);
  }

  /** A request has come. The connection is destroyed when there are too many. */
  began(request: IncomingMessage, response: ServerResponse): void {
    if (this.#answers.size >= MAX_UNANSWERED) {
      this.destroy();
      return;
    }
    this.#answers.add(response);
    if (this.#closing) response.setHeader('connection', 'close');
    this.#rearm();
    // While the broker works on it, the client has to wait.
    request.once('end', () => this.#silence.cancel());
    response.once('prefinish', () => this.#rearm());
    response.once('close', () => {
      this.#answers.delete(response);
      this.#rearm();
      if (this.#closing && this.idle) this.#socket.end();
    });
  }

  shutDown(graceMs: number): void {
    this.#closing = true;
    if (this.idle) {
      this.destroy();
      return;
    }
    for (const response of this.#answers) if (!response.headersSent) response.setHeader('connection', 'close');
    this.#silence.cancel();
    this.#silence = this.#clock.setTimer(graceMs, () => this.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #serve(server: Server | undefined): void {
    this.#opening = false;
    if (server === undefined || this.#closing) this.destroy();
    else if (!this.#socket.destroyed) server.emit('connection', this.#socket);
  }

  #rearm(): void {
    if (this.#closing) return;
    this.#silence.cancel();
    if (!this.#socket.destroyed) this.#silence = this.#watch();
  }

  #watch(): Timer {
    return this.#clock.setTimer(SILENCE_MS, () => this.destroy());
  }
}
