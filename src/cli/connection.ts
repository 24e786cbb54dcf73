import { KafkaClient } from '../client/index.ts';
import type { Address } from './arguments.ts';

/** The options of every command against a running broker. */
export interface RemoteOptions {
  readonly broker: Address;
  readonly json?: true;
}

/** Runs something with a connection to the broker, and closes it. */
export async function withClient<Result>(
  { broker }: RemoteOptions,
  run: (client: KafkaClient) => Promise<Result>,
): Promise<Result> {
  const client = await KafkaClient.connect({ ...broker, clientId: 'sluice-cli' });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}
