import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, credentials } from 'amqplib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import type { SettingsInput } from '../../src/index.ts';
import { temporaryDirectory } from '../kafka/fixture.ts';
import { onSluice, startBroker } from './fixture.ts';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** One that signs itself. */
function certificateOf(directory: string, name: string, subject: string): Certificate {
  const cert = join(directory, `${name}.pem`);
  const key = join(directory, `${name}.key`);
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-utf8', '-subj', subject];
  const { status } = spawnSync('openssl', ['req', ...options, '-keyout', key, '-out', cert]);
  if (status !== 0) throw new Error('openssl makes no certificate');
  return { cert, key };
}

/** A broker that knows the client anna's certificate, and has a user of that name. */
async function start(options: { readonly certificates?: 'optional'; readonly name?: 'common-name' } = {}) {
  const directory = await temporaryDirectory();
  const server = makeCertificate(directory);
  if (server === undefined) throw new Error('openssl makes no certificate');
  const anna = certificateOf(directory, 'anna', '/O=Shop, Inc/CN=anna');
  const stranger = certificateOf(directory, 'stranger', '/O=Shop, Inc/CN=anna');
  const settings: SettingsInput = {
    tls: { ...server, ca: anna.cert, ...(options.certificates && { clientCertificates: options.certificates }) },
    ...(options.name && { amqp: { certificateName: options.name } }),
  };
  const broker = await startBroker({ listeners: ['amqp+tls://127.0.0.1:0'], settings });
  const permissions = { vhost: '/', configure: '.*', write: '.*', read: '.*' };
  const names = ['anna', 'CN=anna,O=Shop\\, Inc'];
  await broker.sluice?.importDefinitions({
    users: names.map((name) => ({ name, tags: [] })),
    permissions: names.map((user) => ({ user, ...permissions })),
  });
  const trust = await readFile(server.cert);
  const connectAs = async (who: Certificate | undefined, how = credentials.external()) => {
    const shown = who && { cert: await readFile(who.cert), key: await readFile(who.key) };
    const model = await connect(`amqps://localhost:${broker.port}`, { ca: [trust], ...shown, credentials: how });
    model.on('error', () => {});
    onTestFinished(() => model.close());
    return model;
  };
  return { anna, stranger, connectAs };
}

describe.runIf(onSluice)('a client with a certificate', () => {
  test.each([{}, { name: 'common-name' as const }])('is the user of its name: %j', async (options) => {
    const { anna, connectAs } = await start(options);
    const own = await (await connectAs(anna)).createChannel();
    const { queue } = await own.assertQueue('', { exclusive: true });
    // A user may say of a message that it is its own: so it shows who that is.
    const userId = options.name === 'common-name' ? 'anna' : 'CN=anna,O=Shop\\, Inc';
    own.sendToQueue(queue, Buffer.from('m'), { userId });
    const message = await own.get(queue);
    expect(message !== false && message.properties.userId).toBe(userId);
  });

  test('can come in by password all the same', async () => {
    const { anna, connectAs } = await start();
    await connectAs(anna, credentials.plain('guest', 'guest'));
  });

  test('that nobody vouches for does not connect', async () => {
    const { stranger, connectAs } = await start();
    await expect(connectAs(stranger)).rejects.toThrow();
    const { stranger: other, connectAs: connectThere } = await start({ certificates: 'optional' });
    await expect(connectThere(other)).rejects.toThrow();
    await expect(connectThere(other, credentials.plain('guest', 'guest'))).rejects.toThrow();
  });
});

describe.runIf(onSluice)('a client without a certificate', () => {
  test('does not connect where one is required', async () => {
    const { connectAs } = await start();
    await expect(connectAs(undefined, credentials.plain('guest', 'guest'))).rejects.toThrow();
  });

  test('comes in by password where none is required, but not without', async () => {
    const { connectAs } = await start({ certificates: 'optional' });
    await connectAs(undefined, credentials.plain('guest', 'guest'));
    await expect(connectAs(undefined)).rejects.toThrow(/ACCESS.REFUSED/);
  });
});
