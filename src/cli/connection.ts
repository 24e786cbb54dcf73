import { KafkaClient } from '../client/index.ts';
import type { Address } from './arguments.ts';
import { type LoginOptions, loginOf, tlsOf } from './login.ts';

/** The options of every command against a running broker. */
export interface RemoteOptions extends LoginOptions {
  readonly broker: Address;
  readonly json?: true;
}

/** Runs something with a connection to the broker, and closes it. */
export async function withClient<Result>(
  options: RemoteOptions,
  run: (client: KafkaClient) => Promise<Result>,
): Promise<Result> {
  const { broker } = options;
  const tls = await tlsOf(options);
  const login = await loginOf(options);
  const client = await KafkaClient.connect({ ...broker, clientId: 'sluice-cli', tls, login });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}
