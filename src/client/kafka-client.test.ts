import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { apiVersions } from '../protocols/kafka/codec/apis/api-versions.ts';
import { createTopics } from '../protocols/kafka/codec/apis/create-topics.ts';
import { metadata } from '../protocols/kafka/codec/apis/metadata.ts';
import { apiOf } from '../protocols/kafka/codec/apis.ts';
import { decodeRequestHeader, encodeResponse, type KnownRequest } from '../protocols/kafka/codec/frames.ts';
import { FrameReader } from '../protocols/kafka/frame-reader.ts';
import { KafkaClient } from './kafka-client.ts';

type Serve = (request: KnownRequest, socket: Socket) => void;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** A broker of a few lines: tells versions of Metadata, and does with other requests as the test says. */
async function server(serve: Serve, onSocket: (socket: Socket) => void = () => {}): Promise<number> {
  const listener: Server = createServer((socket) => {
    open.push({ close: () => socket.destroy() });
    const frames = new FrameReader(1024 * 1024);
    onSocket(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const requests: Buffer[] = [];
      frames.push(chunk, requests);
      for (const frame of requests) {
        const request = decodeRequestHeader(frame, apiOf);
        if (request.kind !== 'known') throw new Error(`the client asked for an unknown ${request.kind}`);
        if (request.api.key === apiVersions.key) answerVersions(request, socket);
        else serve(request, socket);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => listener.close() });
  return (listener.address() as AddressInfo).port;
}

function answerVersions({ version, correlationId }: KnownRequest, socket: Socket): void {
  const apiKeys = [{ apiKey: metadata.key, minVersion: 0, maxVersion: 9 }];
  for (const chunk of encodeResponse(apiVersions, version, correlationId, { errorCode: 0, apiKeys }))
    socket.write(chunk);
}

function answerMetadata({ version, correlationId, body }: KnownRequest, socket: Socket): void {
  const asked = metadata.request.decode(body, version).topics?.[0]?.name ?? '';
  const answer = { brokers: [], clusterId: asked, topics: [] };
  for (const chunk of encodeResponse(metadata, version, correlationId, answer)) socket.write(chunk);
}

async function connect(port: number, timeoutMs?: number): Promise<KafkaClient> {
  const client = await KafkaClient.connect({ host: '127.0.0.1', port, ...(timeoutMs && { timeoutMs }) });
  open.push(client);
  return client;
}

const ask = (name: string) => ({ topics: [{ name }] });

test('requests go out together, and each gets its own answer, in whatever order they come', async () => {
  const waiting: KnownRequest[] = [];
  const port = await server((request, socket) => {
    waiting.push(request);
    if (waiting.length === 3) for (const each of waiting.reverse()) answerMetadata(each, socket);
  });
  const client = await connect(port);
  const answers = await Promise.all(['a', 'b', 'c'].map((name) => client.request(metadata, ask(name))));
  expect(answers.map(({ clusterId }) => clusterId)).toEqual(['a', 'b', 'c']);
});

test('the latest version that both sides have is taken, or an earlier one when asked for', async () => {
  const versions: number[] = [];
  const port = await server((request, socket) => {
    versions.push(request.version);
    answerMetadata(request, socket);
  });
  const client = await connect(port);
  await client.request(metadata, ask('a'));
  await client.request(metadata, ask('a'), { maxVersion: 4 });
  expect(versions).toEqual([9, 4]);
  expect([client.supports(metadata), client.supports(metadata, 9), client.supports(metadata, 10)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('an API that the broker lacks is not asked for', async () => {
  const client = await connect(await server(() => {}));
  expect(client.supports(createTopics)).toBe(false);
  await expect(client.request(createTopics, { topics: [] })).rejects.toMatchObject({ code: 'unsupported' });
});

test('a broker that has only older versions of ApiVersions is understood', async () => {
  const listener = createServer((socket) => {
    open.push({ close: () => socket.destroy() });
    socket.once('data', (frame: Buffer) => {
      const apiKeys = [{ apiKey: metadata.key, minVersion: 0, maxVersion: 1 }];
      for (const chunk of encodeResponse(apiVersions, 0, frame.readInt32BE(8), { errorCode: 35, apiKeys }))
        socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => listener.close() });
  const client = await connect((listener.address() as AddressInfo).port);
  expect(client.supports(metadata, 1)).toBe(true);
  expect(client.supports(metadata, 2)).toBe(false);
});

test('requests that wait when the connection is lost fail, and so do later ones', async () => {
  const client = await connect(await server((_, socket) => socket.destroy()));
  await expect(client.request(metadata, ask('a'))).rejects.toMatchObject({ code: 'closed' });
  await expect(client.request(metadata, ask('a'))).rejects.toMatchObject({ code: 'closed' });
});

test('a broker that falls silent while it owes an answer is given up', async () => {
  const client = await connect(await server(() => {}), 50);
  await expect(client.request(metadata, ask('a'))).rejects.toThrow(/has not answered for 50 ms/);
});

test('requests that wait when the client is closed fail', async () => {
  const client = await connect(await server(() => {}));
  const waiting = expect(client.request(metadata, ask('a'))).rejects.toThrow('this client was closed');
  await client.close();
  await waiting;
});

test('what is not Kafka is told from a broker', async () => {
  const port = await server(
    () => {},
    (socket) => socket.removeAllListeners('data').end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  await expect(connect(port)).rejects.toThrow(/does not speak Kafka's protocol/);
});

test('where nobody listens, the error says so', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  await expect(connect(port)).rejects.toThrow(
    `cannot talk to 127.0.0.1:${port}: nothing listens there; is the broker running?`,
  );
});
