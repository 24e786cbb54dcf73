import { readFile } from 'node:fs/promises';
import { connect, credentials } from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import { temporaryDirectory } from '../kafka/fixture.ts';
import { onSluice, startBroker } from './fixture.ts';

async function startWithTls() {
  const certificate = makeCertificate(await temporaryDirectory());
  if (certificate === undefined) throw new Error('openssl makes no certificate');
  const { port } = await startBroker({ listeners: ['amqp+tls://127.0.0.1:0'], settings: { tls: certificate } });
  return { url: `amqps://guest:guest@localhost:${port}`, ca: await readFile(certificate.cert) };
}

describe.runIf(onSluice)('over TLS', () => {
  test('amqplib publishes and consumes', async () => {
    const { url, ca } = await startWithTls();
    const model = await connect(url, { ca: [ca] });
    onTestFinished(() => model.close());
    const own = await model.createConfirmChannel();
    const { queue } = await own.assertQueue('', { exclusive: true });
    own.sendToQueue(queue, Buffer.alloc(1_000_000, 7));
    await own.waitForConfirms();
    const message = await own.get(queue);
    expect(message !== false && message.content.equals(Buffer.alloc(1_000_000, 7))).toBe(true);
  });

  test('rabbitmq-client as well', async () => {
    const { url, ca } = await startWithTls();
    const connection = new Connection({ url, tls: { ca } });
    onTestFinished(() => connection.close());
    const { queue } = await connection.queueDeclare({ exclusive: false, autoDelete: true });
    const publisher = connection.createPublisher({ confirm: true });
    await publisher.send(queue, 'm');
    await publisher.close();
    expect((await connection.basicGet(queue))?.body).toBe('m');
  });

  test('who does not know the certificate does not connect', async () => {
    const { url } = await startWithTls();
    await expect(connect(url)).rejects.toThrow(/self-signed certificate/);
  });

  test('a wrong password is refused there too', async () => {
    const { url, ca } = await startWithTls();
    const options = { ca: [ca], credentials: credentials.plain('guest', 'wrong') };
    await expect(connect(url, options)).rejects.toThrow(/ACCESS.REFUSED/);
  });
});
