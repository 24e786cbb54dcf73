import { BrokerError } from '../errors.ts';
import { createPartitions } from '../protocols/kafka/codec/apis/create-partitions.ts';
import { createTopics } from '../protocols/kafka/codec/apis/create-topics.ts';
import { deleteTopics } from '../protocols/kafka/codec/apis/delete-topics.ts';
import { describeConfigs } from '../protocols/kafka/codec/apis/describe-configs.ts';
import { describeLogDirs } from '../protocols/kafka/codec/apis/describe-log-dirs.ts';
import { incrementalAlterConfigs } from '../protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { metadata } from '../protocols/kafka/codec/apis/metadata.ts';
import { KafkaError } from '../protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../protocols/kafka/codec/uuid.ts';
import type { KafkaClient } from './kafka-client.ts';
import { kafkaError, throwOnError } from './kafka-error.ts';

export interface Topic {
  readonly name: string;
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: readonly TopicPartition[];
}

export interface TopicPartition {
  readonly partition: number;
  /** Broker ids; -1 for no leader. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicConfig {
  readonly name: string;
  readonly value: string | null;
  /** Who set it. */
  readonly source: ConfigSource;
}

const CONFIG_SOURCES = ['unknown', 'topic', 'broker', 'cluster', 'configuration', 'default'] as const;
export type ConfigSource = (typeof CONFIG_SOURCES)[number];

const TOPIC_RESOURCE = 2;
const SET = 0;
const DELETE = 1;
const ADMIN_TIMEOUT_MS = 30_000;
/** A broker that makes the topic may answer that it has no leader yet; how often it is asked again. */
const CREATION_TRIES = 50;
const CREATION_WAIT_MS = 100;

/** All topics, by name. */
export async function listTopics(client: KafkaClient): Promise<Topic[]> {
  const answer = await client.request(metadata, { topics: null, allowAutoTopicCreation: false });
  return answer.topics
    .filter(({ errorCode }) => errorCode === KafkaError.NONE)
    .map(toTopic)
    .sort(byName);
}

/** Throws `not-found`. With `create`, the topic comes into being if the broker makes topics by itself. */
export async function findTopic(client: KafkaClient, name: string, create = false): Promise<Topic> {
  for (let tries = 1; ; tries++) {
    const topics = [{ name }];
    const answer = await client.request(metadata, { topics, allowAutoTopicCreation: create });
    const [topic] = answer.topics;
    if (topic?.errorCode === KafkaError.NONE) return toTopic(topic);
    const code = topic?.errorCode ?? KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
    const coming = code === KafkaError.LEADER_NOT_AVAILABLE || code === KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
    if (!create || !coming || tries === CREATION_TRIES) {
      if (code !== KafkaError.UNKNOWN_TOPIC_OR_PARTITION) throw kafkaError(code, `topic ${name}`);
      throw new BrokerError(
        'not-found',
        `there is no topic ${name}; see 'sluice topic list', or create it: sluice topic create ${name}`,
      );
    }
    await new Promise<void>((resolve) => client.environment.clock.setTimer(CREATION_WAIT_MS, resolve));
  }
}

interface MetadataTopic {
  readonly name: string | null;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly leaderId: number;
    readonly replicaNodes: readonly number[];
    readonly isrNodes: readonly number[];
  }[];
}

function toTopic({ name, topicId, isInternal, partitions }: MetadataTopic): Topic {
  return {
    name: name ?? '',
    id: topicId,
    internal: isInternal,
    partitions: partitions
      .map((each) => ({
        partition: each.partitionIndex,
        leader: each.leaderId,
        replicas: each.replicaNodes,
        inSync: each.isrNodes,
      }))
      .sort((a, b) => a.partition - b.partition),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** The settings of a topic, by name. */
export async function topicConfigs(client: KafkaClient, name: string): Promise<TopicConfig[]> {
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: name, configurationKeys: null }];
  const { results } = await client.request(describeConfigs, { resources });
  for (const { errorCode, errorMessage } of results) throwOnError(errorCode, `topic ${name}`, errorMessage);
  const configs = results.flatMap((result) => result.configs);
  return configs
    .map(({ name: config, value, configSource }) => ({
      name: config,
      value,
      source: CONFIG_SOURCES[configSource] ?? 'unknown',
    }))
    .sort(byName);
}

/** Bytes that each partition takes on the broker, by partition; undefined when the broker does not tell. */
export async function topicSizes(client: KafkaClient, topic: Topic): Promise<ReadonlyMap<number, number> | undefined> {
  if (!client.supports(describeLogDirs)) return undefined;
  const partitions = topic.partitions.map(({ partition }) => partition);
  const { results } = await client.request(describeLogDirs, { topics: [{ topic: topic.name, partitions }] });
  const sizes = new Map<number, number>();
  for (const { partitionIndex, partitionSize } of results
    .flatMap(({ topics }) => topics)
    .flatMap((each) => each.partitions)) {
    sizes.set(partitionIndex, (sizes.get(partitionIndex) ?? 0) + partitionSize);
  }
  return sizes;
}

export interface NewTopic {
  readonly name: string;
  /** As many as the broker makes by default, without it. */
  readonly partitions?: number | undefined;
  readonly configs?: Readonly<Record<string, string>>;
}

/** Answers how many partitions the topic has. Throws `already-exists`, `invalid-argument`, `invalid-configuration`. */
export async function createTopic(
  client: KafkaClient,
  { name, partitions = -1, configs = {} }: NewTopic,
): Promise<number> {
  const answer = await client.request(createTopics, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor: -1,
        assignments: [],
        configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
      },
    ],
    timeoutMs: ADMIN_TIMEOUT_MS,
  });
  for (const { errorCode, errorMessage } of answer.topics) throwOnError(errorCode, `topic ${name}`, errorMessage);
  return answer.topics[0]?.numPartitions ?? partitions;
}

export interface TopicChange {
  readonly set: Readonly<Record<string, string>>;
  /** Settings that are to be the broker's again. */
  readonly unset: readonly string[];
}

export async function alterTopic(client: KafkaClient, name: string, { set, unset }: TopicChange): Promise<void> {
  const configs = [
    ...Object.entries(set).map(([config, value]) => ({ name: config, configOperation: SET, value })),
    ...unset.map((config) => ({ name: config, configOperation: DELETE, value: null })),
  ];
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: name, configs }];
  const { responses } = await client.request(incrementalAlterConfigs, { resources, validateOnly: false });
  for (const { errorCode, errorMessage } of responses) throwOnError(errorCode, `topic ${name}`, errorMessage);
}

/** Gives the topic more partitions, up to `total`. */
export async function growTopic(client: KafkaClient, name: string, total: number): Promise<void> {
  const { results } = await client.request(createPartitions, {
    topics: [{ name, count: total, assignments: null }],
    timeoutMs: ADMIN_TIMEOUT_MS,
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of results) throwOnError(errorCode, `topic ${name}`, errorMessage);
}

/** Deletes the topics; throws for the first that could not be, having deleted the others. */
export async function removeTopics(client: KafkaClient, names: readonly string[]): Promise<void> {
  const { responses } = await client.request(deleteTopics, {
    topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
    topicNames: names,
    timeoutMs: ADMIN_TIMEOUT_MS,
  });
  for (const { name, errorCode, errorMessage } of responses) throwOnError(errorCode, `topic ${name}`, errorMessage);
}
