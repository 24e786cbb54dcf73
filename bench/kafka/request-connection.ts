import type { Api } from '../../src/protocols/kafka/codec/api.ts';
import { decodeResponse, encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';
import type { Decoded, Fields, Input } from '../../src/protocols/kafka/codec/schema.ts';
import type { LoadSocketOptions } from '../load-socket.ts';
import { LoadConnection } from './load-connection.ts';

/** A connection that has one request under way at a time, and sees to it that it is that one which is answered. */
export class RequestConnection {
  #connection: LoadConnection | undefined;
  #correlationId = 0;
  #onFrame: ((frame: Buffer) => void) | undefined;

  private constructor() {}

  static async open(options: Omit<LoadSocketOptions, 'onBytes'>): Promise<RequestConnection> {
    const connection = new RequestConnection();
    connection.#connection = await LoadConnection.open({
      ...options,
      onFrame: (frame) => {
        if (connection.#onFrame === undefined) throw new Error('an answer came that nothing was asked for');
        connection.#onFrame(frame);
      },
    });
    return connection;
  }

  /** Bytes in the answer hold until the next request. */
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Input<Request>,
  ): Promise<Decoded<Response>> {
    return this.exchange(api, version, (id) => Buffer.concat(encodeRequest(api, version, id, 'sluice-bench', body)));
  }

  /** As `request`, of a request that the caller makes. */
  async exchange<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    make: (correlationId: number) => Buffer,
  ): Promise<Decoded<Response>> {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    const answered = Promise.withResolvers<Decoded<Response>>();
    this.#onFrame = (frame) => {
      this.#onFrame = undefined;
      const { correlationId, body } = decodeResponse(api, version, frame);
      if (correlationId !== this.#correlationId)
        throw new Error(`${api.name} ${this.#correlationId} was answered as ${correlationId}`);
      answered.resolve(body);
    };
    this.#connection?.send(make(this.#correlationId));
    return await answered.promise;
  }

  end(): void {
    this.#connection?.end();
  }
}
