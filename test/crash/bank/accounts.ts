/** Where the money is: some accounts in each partition, the partitions over several shards. */
export const ACCOUNTS_TOPIC = 'accounts';
export const ACCOUNTS = 24;
export const PARTITIONS = 6;

/** Where transfers are asked for. */
export interface RequestTopic {
  readonly topic: string;
  readonly partitions: number;
}

/** By who carries them out. */
export const LIBRDKAFKA_REQUESTS: RequestTopic = { topic: 'requests-of-librdkafka', partitions: 3 };
/**
 * With a partition for each that asks: kafkajs shows what was aborted where two transactions that end so begin before the first record that it fetches.
 */
export const KAFKAJS_REQUESTS: RequestTopic = { topic: 'requests-of-kafkajs', partitions: 3 };

export function placeOf(account: number): { readonly topic: string; readonly partition: number } {
  return { topic: ACCOUNTS_TOPIC, partition: account % PARTITIONS };
}

/** How long members of groups may be silent. */
export const SESSION_MS = 2000;
