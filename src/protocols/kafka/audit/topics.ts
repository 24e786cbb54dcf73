import { alterConfigs } from '../codec/apis/alter-configs.ts';
import { createPartitions } from '../codec/apis/create-partitions.ts';
import { createTopics } from '../codec/apis/create-topics.ts';
import { deleteRecords } from '../codec/apis/delete-records.ts';
import { deleteTopics } from '../codec/apis/delete-topics.ts';
import { incrementalAlterConfigs } from '../codec/apis/incremental-alter-configs.ts';
import { ResourceType } from '../handlers/admin/resource-type.ts';
import { type AuditRule, auditRule, firstError, type Told } from './rule.ts';

const CONFIG_ACTS: Readonly<Record<number, string>> = {
  [ResourceType.TOPIC]: 'stream.config',
  [ResourceType.BROKER]: 'settings.change',
  [ResourceType.BROKER_LOGGER]: 'log-level.change',
  [ResourceType.CLIENT_METRICS]: 'client-metrics.change',
  [ResourceType.GROUP]: 'group.config',
};

const OPERATIONS: readonly string[] = ['set', 'delete', 'append', 'subtract'];

export const TOPIC_RULES: readonly AuditRule[] = [
  auditRule(createTopics, function* ({ topics, validateOnly }, response) {
    if (validateOnly) return;
    for (const { name, errorCode, errorMessage, numPartitions } of response.topics) {
      const configs = topics.find((topic) => topic.name === name)?.configs ?? [];
      const config = Object.fromEntries(configs.map((each) => [each.name, each.value]));
      const details = { partitions: numPartitions ?? -1, ...(configs.length > 0 && { config }) };
      yield { act: 'stream.create', object: name, details, errorCode, errorMessage };
    }
  }),
  auditRule(deleteTopics, function* (_, { responses }) {
    for (const { name, topicId, errorCode, errorMessage } of responses)
      yield { act: 'stream.delete', object: name ?? String(topicId), errorCode, errorMessage };
  }),
  auditRule(createPartitions, function* ({ topics, validateOnly }, { results }) {
    if (validateOnly) return;
    for (const { name, errorCode, errorMessage } of results) {
      const partitions = topics.find((topic) => topic.name === name)?.count;
      yield { act: 'stream.partitions', object: name, details: { partitions }, errorCode, errorMessage };
    }
  }),
  auditRule(deleteRecords, function* (request, { topics }) {
    for (const { name, partitions } of topics) {
      const asked = request.topics.find((topic) => topic.name === name)?.partitions ?? [];
      const before = Object.fromEntries(asked.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
      yield { act: 'stream.truncate', object: name, details: { before }, errorCode: firstError(partitions) };
    }
  }),
  auditRule(alterConfigs, function* ({ resources, validateOnly }, { responses }) {
    if (!validateOnly) yield* configActs(responses, resources, ({ name, value }) => [name, value]);
  }),
  auditRule(incrementalAlterConfigs, function* ({ resources, validateOnly }, { responses }) {
    if (!validateOnly)
      yield* configActs(responses, resources, ({ name, value, configOperation }) => [
        name,
        { [OPERATIONS[configOperation] ?? configOperation]: value },
      ]);
  }),
];

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** What can be set is no secret: Kafka's settings of listeners and their passwords are not among it. */
function* configActs<Config>(
  results: Iterable<Resource & { readonly errorCode: number; readonly errorMessage?: string | null | undefined }>,
  resources: readonly (Resource & { readonly configs: readonly Config[] })[],
  shown: (config: Config) => readonly [string, unknown],
): Generator<Told> {
  for (const { resourceType, resourceName, errorCode, errorMessage } of results) {
    const asked = resources.find((each) => each.resourceType === resourceType && each.resourceName === resourceName);
    const details = Object.fromEntries((asked?.configs ?? []).map(shown));
    const act = CONFIG_ACTS[resourceType] ?? 'config.change';
    yield { act, object: resourceName, details, errorCode, errorMessage };
  }
}
