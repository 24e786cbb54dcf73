import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import type { CreateBrokerOptions, SettingsInput } from '../../src/index.ts';
import { saslAuthenticate } from '../../src/protocols/kafka/codec/apis/sasl-authenticate.ts';
import { saslHandshake } from '../../src/protocols/kafka/codec/apis/sasl-handshake.ts';
import { startBroker, temporaryDirectory } from './fixture.ts';
import { ask, RawClient } from './raw-client.ts';

/** Users of every secured broker, with their passwords. */
export const PASSWORDS: Readonly<Record<string, string>> = { anna: 'annas ßecret', berta: 'bertas', root: 'roots' };

export interface SecuredOptions extends CreateBrokerOptions {
  readonly kafka?: SettingsInput['kafka'];
  readonly tls?: boolean;
}

/** A broker whose Kafka clients have to log in. */
export async function startSecured({ kafka, tls = false, ...options }: SecuredOptions = {}) {
  const certificate = tls ? makeCertificate(await temporaryDirectory()) : undefined;
  const broker = await startBroker({
    ...options,
    listeners: [`kafka${tls ? '+tls' : ''}://127.0.0.1:0`],
    settings: {
      ...options.settings,
      kafka: { sasl: 'required', superUsers: ['User:root'], ...kafka },
      ...(certificate && { tls: certificate }),
    },
    advertise: [],
  });
  await broker.importDefinitions({
    users: Object.entries(PASSWORDS).map(([name, password]) => ({ name, password, tags: [] })),
  });
  return { ...broker, port: broker.listeners[0]?.port ?? 0, certificate };
}

export function kafkajsAs(address: string, sasl: SASLOptions | undefined, options: Partial<KafkaConfig> = {}): Kafka {
  const retry = { retries: 1, initialRetryTime: 10 };
  // A copy: it keeps in there how it logged in.
  return new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry,
    ...(sasl && { sasl: { ...sasl } }),
    ...options,
  });
}

export const plain = (name: string): SASLOptions => ({
  mechanism: 'plain',
  username: name,
  password: PASSWORDS[name] ?? '',
});

/** A raw client that has logged in by PLAIN. */
export async function rawAs(port: number, name: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await logIn(client, name);
  return client;
}

export async function logIn(client: RawClient, name: string, password = PASSWORDS[name] ?? '') {
  await ask(client, saslHandshake, 1, { mechanism: 'PLAIN' });
  return ask(client, saslAuthenticate, 2, { authBytes: Buffer.from(`\0${name}\0${password}`) });
}
