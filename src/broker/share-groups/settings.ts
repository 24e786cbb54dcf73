/** What is the same for all share groups. */
export interface ShareGroupSettings {
  /** Partitions of all groups together that there is delivery state of. */
  readonly maxPartitions: number;
  /** Kafka's errors.deadletterqueue.topic.name.prefix: what the names of topics for dead letters begin with. */
  readonly deadLetterTopicPrefix: string;
}

export const DEFAULT_SHARE_GROUP_SETTINGS: ShareGroupSettings = {
  maxPartitions: 100_000,
  deadLetterTopicPrefix: 'dlq.',
};
