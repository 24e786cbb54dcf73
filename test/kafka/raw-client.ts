import { connect, type Socket } from 'node:net';
import type { Logger } from '../../src/environment/logger.ts';
import type { Api } from '../../src/protocols/kafka/codec/api.ts';
import { decodeResponse, encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';
import type { Decoded, Fields, Input } from '../../src/protocols/kafka/codec/schema.ts';
import { FrameReader } from '../../src/protocols/kafka/frame-reader.ts';

/** A socket that sends whatever bytes a test likes, and keeps the frames that come back, in their order. */
export class RawClient {
  readonly socket: Socket;
  /** As the broker's log names this client. */
  readonly address: string;
  readonly frames: Buffer[] = [];
  /** Resolves when the broker has closed the connection, or this side has. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #reader = new FrameReader(0x7fff_ffff);
  readonly #listeners = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        this.#changed();
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk, this.frames);
      this.#changed();
    });
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Resolves when so many frames have come, or the connection is closed. */
  async received(count: number): Promise<void> {
    while (this.frames.length < count && !this.isClosed)
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #changed(): void {
    for (const resolve of this.#listeners) resolve();
    this.#listeners.clear();
  }
}

/** A request with its size in front, in one piece. */
export function frameOf<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  body: Input<Request>,
  clientId: string | null = 'raw',
): Buffer {
  return Buffer.concat(encodeRequest(api, version, correlationId, clientId, body));
}

/** Sends one request and waits for its answer. */
export async function ask<Request extends Fields, Response extends Fields>(
  client: RawClient,
  api: Api<Request, Response>,
  version: number,
  body: Input<Request>,
): Promise<Decoded<Response>> {
  const before = client.frames.length;
  client.send(frameOf(api, version, before, body));
  await client.received(before + 1);
  const frame = client.frames[before];
  if (frame === undefined) throw new Error(`the broker closed the connection on ${api.name}`);
  return decodeResponse(api, version, frame).body;
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as LogLine['facts'], message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
