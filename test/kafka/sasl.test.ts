import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:tls';
import { Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import type { SASLOptions } from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { alterUserScramCredentials } from '../../src/protocols/kafka/codec/apis/alter-user-scram-credentials.ts';
import { apiVersions } from '../../src/protocols/kafka/codec/apis/api-versions.ts';
import { describeUserScramCredentials } from '../../src/protocols/kafka/codec/apis/describe-user-scram-credentials.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { saslAuthenticate } from '../../src/protocols/kafka/codec/apis/sasl-authenticate.ts';
import { saslHandshake } from '../../src/protocols/kafka/codec/apis/sasl-handshake.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { hasConfluent, hasKcat, PYTHON } from './clients/available.ts';
import { startBroker } from './fixture.ts';
import { ask, frameOf, RawClient, recordingLogger } from './raw-client.ts';
import { kafkajsAs, logIn, PASSWORDS, plain, rawAs, startSecured } from './secured.ts';

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

async function run(command: string, args: readonly string[], stdin = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.end(stdin);
  await once(child, 'close');
  return output;
}

/** As librdkafka calls its settings. */
function librdkafka(broker: Awaited<ReturnType<typeof startSecured>>, mechanism: string, password = PASSWORDS['anna']) {
  return {
    'bootstrap.servers': `localhost:${broker.port}`,
    'broker.address.family': 'v4',
    'security.protocol': broker.certificate ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    ...(broker.certificate && { 'ssl.ca.location': broker.certificate.cert }),
    'sasl.mechanism': mechanism,
    'sasl.username': 'anna',
    'sasl.password': password ?? '',
  };
}

describe.each([{ tls: false }, { tls: true }])('logging in, %j', ({ tls }) => {
  it.each(MECHANISMS)('kafkajs by %s', async (mechanism) => {
    const { address, certificate } = await startSecured({ tls });
    const ssl = certificate ? { ssl: { ca: [await readFile(certificate.cert)] } } : {};
    const sasl = { ...plain('anna'), mechanism: mechanism.toLowerCase() } as SASLOptions;
    const kafka = kafkajsAs(address, sasl, ssl);
    const producer = kafka.producer();
    onTestFinished(() => producer.disconnect());
    await producer.connect();
    await producer.send({ topic: 'orders', messages: [{ value: 'hello' }] });
    for (const changed of [{ password: 'wrong' }, { username: 'nobody' }]) {
      const stranger = kafkajsAs(address, { ...sasl, ...changed } as SASLOptions, ssl).admin();
      onTestFinished(() => stranger.disconnect());
      await expect(stranger.connect().then(() => stranger.listTopics())).rejects.toThrow(/Authentication failed/);
    }
  });

  it.runIf(hasConfluent).each(MECHANISMS)('confluent-kafka-python by %s', async (mechanism) => {
    const broker = await startSecured({ tls });
    const program = new URL('clients/confluent_sasl.py', import.meta.url).pathname;
    const attempt = async (password?: string) =>
      JSON.parse(await run(PYTHON, [program, JSON.stringify(librdkafka(broker, mechanism, password)), 'orders']));
    expect(await attempt()).toEqual({ value: 'hello' });
    expect((await attempt('wrong')).errors).toContain('_AUTHENTICATION');
  });

  it.runIf(hasKcat).each(MECHANISMS)('kcat by %s', async (mechanism) => {
    const broker = await startSecured({ tls });
    const options = Object.entries(librdkafka(broker, mechanism)).flatMap(([name, value]) => [
      '-X',
      `${name}=${value}`,
    ]);
    await run('kcat', [...options, '-P', '-t', 'orders'], 'hello\n');
    expect(await run('kcat', [...options, '-C', '-t', 'orders', '-e', '-q'])).toBe('hello\n');
  });

  it.each(MECHANISMS)('@platformatic/kafka by %s', async (mechanism) => {
    const { port, certificate } = await startSecured({ tls });
    const options = {
      clientId: 'p',
      bootstrapBrokers: [`127.0.0.1:${port}`],
      sasl: { mechanism, username: 'anna', password: PASSWORDS['anna'] ?? '' },
      ...(certificate && { tls: { ca: [await readFile(certificate.cert)] } }),
    };
    const producer = new Producer({ ...options, serializers: stringSerializers, autocreateTopics: true });
    onTestFinished(() => producer.close());
    await producer.send({ messages: [{ topic: 'orders', value: 'hello' }] });
    const consumer = new Consumer({ ...options, groupId: 'g', deserializers: stringDeserializers });
    const stream = await consumer.consume({ topics: ['orders'], mode: MessagesStreamModes.EARLIEST });
    for await (const { value } of stream) {
      expect(value).toBe('hello');
      break;
    }
    await consumer.close(true);
  });
});

describe('a connection', () => {
  it('gets nothing but what it needs to log in before it has', async () => {
    const logger = recordingLogger();
    const { port } = await startSecured({ logger });
    const client = await RawClient.connect(port);
    expect((await ask(client, apiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })).errorCode).toBe(
      0,
    );
    client.send(frameOf(metadata, 9, 1, { topics: null }));
    await client.closed;
    expect(client.frames).toHaveLength(1);
    expect(logger.lines.map(({ facts }) => facts['err'])).toContainEqual(expect.stringContaining('has to log in'));
  });

  it('may not send much before that', async () => {
    const { port } = await startSecured();
    const client = await RawClient.connect(port);
    const size = Buffer.alloc(4);
    size.writeInt32BE(600_000);
    client.send(size);
    await client.closed;
    const known = await rawAs(port, 'anna');
    onTestFinished(() => known.destroy());
    known.send(frameOf(metadata, 9, 9, { topics: [{ name: 'x'.repeat(30_000), topicId: undefined }] }));
    await known.received(3);
    expect(known.isClosed).toBe(false);
  });

  it('can log in by bare messages, as clients before Kafka 1.0 do', async () => {
    const { port } = await startSecured();
    const attempt = async (password: string) => {
      const client = await RawClient.connect(port);
      onTestFinished(() => client.destroy());
      expect((await ask(client, saslHandshake, 0, { mechanism: 'PLAIN' })).errorCode).toBe(0);
      const message = Buffer.from(`\0anna\0${password}`);
      const size = Buffer.alloc(4);
      size.writeInt32BE(message.length);
      client.send(Buffer.concat([size, message]));
      await client.received(2);
      return client;
    };
    const client = await attempt(PASSWORDS['anna'] ?? '');
    expect(client.frames[1]).toHaveLength(0);
    expect((await ask(client, metadata, 9, { topics: null })).topics).toEqual([]);
    expect((await attempt('wrong')).isClosed).toBe(true);
  });

  it('is told what there is when it asks for another mechanism, and let go', async () => {
    const { port } = await startSecured({ kafka: { saslMechanisms: ['SCRAM-SHA-512'] } });
    const client = await RawClient.connect(port);
    expect(await ask(client, saslHandshake, 1, { mechanism: 'PLAIN' })).toEqual({
      errorCode: KafkaError.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['SCRAM-SHA-512'],
    });
    await client.closed;
  });

  it('is told that the password is wrong, no more, and let go', async () => {
    const logger = recordingLogger();
    const { port } = await startSecured({ logger });
    const client = await RawClient.connect(port);
    const answer = await logIn(client, 'anna', 'wrong');
    expect(answer.errorCode).toBe(KafkaError.SASL_AUTHENTICATION_FAILED);
    expect(answer.errorMessage).toBe('Authentication failed: Invalid username or password');
    await client.closed;
    expect(logger.lines.map(({ facts }) => facts['err'])).toContain(
      "PLAIN login refused: user 'anna' - invalid credentials",
    );
  });

  it('logs in again as who it is, by the same mechanism, in time', async () => {
    const { port, clock } = await startSecured({ clock: 'virtual', kafka: { maxReauthMs: 60_000 } });
    const client = await rawAs(port, 'anna');
    await clock.advance(50_000);
    expect((await logIn(client, 'anna')).sessionLifetimeMs).toBe(60_000);
    await clock.advance(50_000);
    expect((await ask(client, metadata, 9, { topics: null })).topics).toEqual([]);
    await clock.advance(20_000);
    client.send(frameOf(metadata, 9, 1, { topics: null }));
    await client.closed;
    const other = await rawAs(port, 'anna');
    expect((await logIn(other, 'berta')).errorCode).toBe(KafkaError.SASL_AUTHENTICATION_FAILED);
    await other.closed;
  });

  it('has no other business in the middle of a login, and none with SaslAuthenticate outside of one', async () => {
    const { port } = await startSecured();
    const client = await RawClient.connect(port);
    const stray = await ask(client, saslAuthenticate, 2, { authBytes: Buffer.from('\0anna\0x') });
    expect(stray.errorCode).toBe(KafkaError.ILLEGAL_SASL_STATE);
    await ask(client, saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' });
    client.send(frameOf(apiVersions, 3, 1, { clientSoftwareName: 'x', clientSoftwareVersion: '1' }));
    await client.closed;
  });

  it('ends when its user is gone', async () => {
    const { port } = await startSecured();
    const admin = await rawAs(port, 'anna');
    onTestFinished(() => admin.destroy());
    const salted = { mechanism: 1, iterations: 4096, salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 1) };
    const upsertions = [{ name: 'carla', ...salted }];
    const alter = (change: object) =>
      ask(admin, alterUserScramCredentials, 0, { deletions: [], upsertions: [], ...change });
    expect((await alter({ upsertions })).results).toEqual([{ user: 'carla', errorCode: 0, errorMessage: null }]);
    const described = await ask(admin, describeUserScramCredentials, 0, { users: null });
    expect(described.results.map(({ user }) => user).sort()).toEqual(['anna', 'berta', 'carla', 'guest', 'root']);
    expect(described.results.find(({ user }) => user === 'carla')?.credentialInfos).toEqual([
      { mechanism: 1, iterations: 4096 },
    ]);
    expect((await alter({ deletions: [{ name: 'carla', mechanism: 1 }] })).results[0]?.errorCode).toBe(0);
    const codes = [
      await alter({ deletions: [{ name: 'carla', mechanism: 1 }] }),
      await alter({ deletions: [{ name: 'carla', mechanism: 7 }] }),
      await alter({ upsertions: [{ ...upsertions[0], iterations: 1 }] }),
      await alter({ upsertions: [...upsertions, ...upsertions] }),
    ];
    expect(codes.map(({ results }) => results[0]?.errorCode)).toEqual([
      KafkaError.RESOURCE_NOT_FOUND,
      KafkaError.UNSUPPORTED_SASL_MECHANISM,
      KafkaError.UNACCEPTABLE_CREDENTIAL,
      KafkaError.DUPLICATE_RESOURCE,
    ]);
  });
});

/** An address of this machine by which it looks like another. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe('who has to log in', () => {
  const anonymously = async (address: string) => {
    const admin = kafkajsAs(address, undefined).admin();
    onTestFinished(() => admin.disconnect());
    await admin.connect();
    return admin.listTopics();
  };

  it('is nobody on this machine, who can all the same, unless it is told otherwise', async () => {
    const { address, importDefinitions } = await startBroker();
    await importDefinitions({ users: [{ name: 'anna', password: PASSWORDS['anna'], tags: [] }] });
    expect(await anonymously(address)).toEqual([]);
    const admin = kafkajsAs(address, plain('anna')).admin();
    onTestFinished(() => admin.disconnect());
    await admin.connect();
  });

  it.runIf(outside !== undefined)('is everybody on other machines, unless it is told otherwise', async () => {
    const start = async (kafka: object) => {
      const { listeners } = await startBroker({ listeners: ['kafka://0.0.0.0:0'], settings: { kafka } });
      return `${outside}:${listeners[0]?.port}`;
    };
    const open = await start({ sasl: 'off' });
    await expect(anonymously(open)).resolves.toEqual([]);
    await expect(anonymously(await start({}))).rejects.toThrow();
  });

  it('cannot at all where it is off', async () => {
    const { port } = await startSecured({ kafka: { sasl: 'off' } });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.destroy());
    const { errorCode } = await ask(client, saslHandshake, 1, { mechanism: 'PLAIN' });
    expect(errorCode).toBe(KafkaError.ILLEGAL_SASL_STATE);
  });

  it('is who the broker does not know over TLS as well', async () => {
    const { port, certificate } = await startSecured({ tls: true });
    const ca = await readFile(certificate?.cert ?? '');
    const socket = connect({ host: 'localhost', port, ca });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    socket.write(frameOf(metadata, 9, 1, { topics: null }));
    await once(socket.resume(), 'close');
  });
});
