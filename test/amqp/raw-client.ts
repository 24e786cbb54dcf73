import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TestBroker } from './fixture.ts';

/*
 *   frame => type:u8 channel:u16 size:u32 payload[size] 0xCE
 *   a method's payload => class:u16 method:u16 arguments
 */

export const METHOD = 1;
export const HEADER = 2;
export const BODY = 3;
export const HEARTBEAT = 8;
export const FRAME_END = 0xce;
export const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** What connection.close and channel.close say. */
export interface Close {
  readonly code: number;
  readonly text: string;
  /** Class and method that it is about, as in `60.40`. */
  readonly method: string;
}

export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function longString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function frame(type: number, channel: number, payload: Buffer, end = FRAME_END): Buffer {
  return Buffer.concat([Buffer.from([type]), u16(channel), u32(payload.length), payload, Buffer.from([end])]);
}

/** `name` is class and method, as in `50.10`. */
export function method(channel: number, name: string, ...args: readonly Buffer[]): Buffer {
  const [classId = 0, methodId = 0] = name.split('.').map(Number);
  return frame(METHOD, channel, Buffer.concat([u16(classId), u16(methodId), ...args]));
}

export function publish(channel: number, exchange: string, key: string): Buffer {
  return method(channel, '60.40', u16(0), shortString(exchange), shortString(key), Buffer.from([0]));
}

/** Without properties. */
export function header(channel: number, bodySize: number, classId = 60): Buffer {
  return frame(HEADER, channel, Buffer.concat([u16(classId), u16(0), u32(0), u32(bodySize), u16(0)]));
}

/** A socket that sends whatever bytes a test likes, and keeps the frames that come back, in their order. */
export class RawClient {
  readonly frames: Frame[] = [];
  /** What came that is no frame. */
  received = Buffer.alloc(0);
  isClosed = false;
  readonly #socket: Socket;
  readonly #listeners = new Set<() => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#cutFrames();
      this.#changed();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  static connect({ host, port }: TestBroker): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true });
    onTestFinished(() => void socket.destroy());
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** As far as an open connection, with `channels` open channels. */
  static async open(broker: TestBroker, { frameMax = 131_072, heartbeat = 0, channels = 1 } = {}): Promise<RawClient> {
    const client = await RawClient.connect(broker);
    client.send(PROTOCOL_HEADER);
    await client.method('10.10');
    client.send(startOk('PLAIN', '\0guest\0guest'));
    await client.method('10.30');
    client.send(tuneOk(2047, frameMax, heartbeat), connectionOpen('/'));
    await client.method('10.41');
    for (let channel = 1; channel <= channels; channel++) {
      client.send(method(channel, '20.10', shortString('')));
      await client.method('20.11');
    }
    return client;
  }

  send(...bytes: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  /** Sends nothing more. */
  end(): void {
    this.#socket.end();
  }

  /** Reads nothing for now. */
  pause(): void {
    this.#socket.pause();
  }

  /** Waits until something holds of what has come. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.isClosed) throw new Error(`the connection was closed; last came ${describe(this.frames.at(-1))}`);
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Takes out frames up to the first method of that class and number; answers its arguments. */
  async method(name: string): Promise<Buffer> {
    let found = -1;
    await this.until(() => {
      found = this.frames.findIndex((each) => each.type === METHOD && methodOf(each) === name);
      return found >= 0;
    });
    const [taken] = this.frames.splice(0, found + 1).slice(-1);
    return taken?.payload.subarray(4) ?? Buffer.alloc(0);
  }

  /** Waits until the broker closes the connection with words. */
  async connectionClose(): Promise<Close> {
    return closeOf(await this.method('10.50'));
  }

  async channelClose(): Promise<Close> {
    return closeOf(await this.method('20.40'));
  }

  /** Resolves when the socket is closed. */
  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  #cutFrames(): void {
    for (;;) {
      const { received } = this;
      // What is refused before it is a connection is answered with a protocol header.
      if (received.length < 7 || received[0] === PROTOCOL_HEADER[0]) return;
      const end = 7 + received.readUInt32BE(3);
      if (received.length <= end) return;
      const [type = 0] = received;
      this.frames.push({ type, channel: received.readUInt16BE(1), payload: Buffer.from(received.subarray(7, end)) });
      this.received = received.subarray(end + 1);
    }
  }

  #changed(): void {
    for (const resolve of this.#listeners) resolve();
    this.#listeners.clear();
  }
}

/** connection.start-ok without client properties; `capabilities` are those that it has. */
export function startOk(mechanism: string, response: string, ...capabilities: readonly string[]): Buffer {
  const flags = capabilities.map((name) => Buffer.concat([shortString(name), Buffer.from('t\x01')]));
  const table = Buffer.concat([shortString('capabilities'), Buffer.from('F'), longString(Buffer.concat(flags))]);
  const properties = longString(capabilities.length > 0 ? table : '');
  return method(0, '10.11', properties, shortString(mechanism), longString(response), shortString('en_US'));
}

export function tuneOk(channelMax: number, frameMax: number, heartbeat: number): Buffer {
  return method(0, '10.31', u16(channelMax), u32(frameMax), u16(heartbeat));
}

export function connectionOpen(virtualHost: string): Buffer {
  return method(0, '10.40', shortString(virtualHost), shortString(''), Buffer.from([0]));
}

export function methodOf({ payload }: Frame): string {
  return `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`;
}

function closeOf(args: Buffer): Close {
  const end = 3 + (args[2] ?? 0);
  return {
    code: args.readUInt16BE(0),
    text: args.toString('utf8', 3, end),
    method: `${args.readUInt16BE(end)}.${args.readUInt16BE(end + 2)}`,
  };
}

function describe(last: Frame | undefined): string {
  if (last === undefined) return 'nothing';
  if (last.type !== METHOD) return `a frame of type ${last.type}`;
  const name = methodOf(last);
  return name === '10.50' || name === '20.40' ? JSON.stringify(closeOf(last.payload.subarray(4))) : name;
}
