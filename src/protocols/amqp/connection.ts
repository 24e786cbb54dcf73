import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import type { Logger } from '../../environment/logger.ts';
import type { AmqpLimits } from './limits.ts';
import type { ReplyChannels } from './reply-to.ts';

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
}

/** One client's socket. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #closeListeners = new Set<() => void>();
  readonly gone: Promise<void>;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on('error', () => {});
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        for (const callback of this.#closeListeners) callback();
        resolve();
      });
    });
  }

  get idle(): boolean {
    return true;
  }

  onClose(callback: () => void): void {
    this.#closeListeners.add(callback);
  }

  shutDown(): void {
    this.destroy();
  }

  destroy(): void {
    this.#options.socket.destroy();
  }
}
