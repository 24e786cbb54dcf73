import { type CreatePartitionsRequest, createPartitions } from '../codec/apis/create-partitions.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { MutationQuota } from './admin/mutation-quota.ts';
import { DONE, type Outcome, Refusal, refused, UNKNOWN_TOPIC } from './admin/refusal.ts';
import { checkReplicas } from './admin/replica-assignment.ts';

type Growth = CreatePartitionsRequest['topics'][number];

const DUPLICATE: Outcome = { errorCode: KafkaError.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' };

/** Gives topics more partitions, each on its own, or only says whether they could have them. */
export const createPartitionsHandler = handler(createPartitions, async ({ topics, validateOnly }, context) => {
  const quota = new MutationQuota(context, { strictFrom: 3 });
  const results = [];
  for (const [name, [growth, ...others]] of Map.groupBy(topics, ({ name }) => name)) {
    const duplicate = growth === undefined || others.length > 0;
    results.push({ name, ...(duplicate ? DUPLICATE : await grow(growth, validateOnly ? undefined : quota, context)) });
  }
  return { throttleTimeMs: quota.throttleMs, results };
});

/** Without a quota nothing is done: it is only said whether it could be. */
async function grow(growth: Growth, quota: MutationQuota | undefined, context: RequestContext): Promise<Outcome> {
  const { name, count } = growth;
  const { streams } = context.broker;
  if (streams.get(name) === undefined) return UNKNOWN_TOPIC;
  try {
    const { partitions } = streams.checkPartitions(name, count);
    const added = count - partitions.length;
    checkAssignments(growth, added, context.broker.settings.nodeId);
    if (quota !== undefined) {
      quota.take(added);
      await streams.addPartitions(name, count);
    }
    return DONE;
  } catch (error) {
    return refused(error, context, { 'invalid-argument': KafkaError.INVALID_PARTITIONS });
  }
}

function checkAssignments({ assignments }: Growth, added: number, nodeId: number): void {
  if (assignments === null) return;
  if (assignments.length !== added) {
    throw new Refusal(
      KafkaError.INVALID_REPLICA_ASSIGNMENT,
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    );
  }
  for (const { brokerIds } of assignments) checkReplicas(brokerIds, nodeId);
}
