import { alterShareGroupOffsets } from '../codec/apis/alter-share-group-offsets.ts';
import { deleteGroups } from '../codec/apis/delete-groups.ts';
import { deleteShareGroupOffsets } from '../codec/apis/delete-share-group-offsets.ts';
import { offsetCommit } from '../codec/apis/offset-commit.ts';
import { offsetDelete } from '../codec/apis/offset-delete.ts';
import { writeTxnMarkers } from '../codec/apis/write-txn-markers.ts';
import { type AuditRule, auditRule, firstError } from './rule.ts';

export const GROUP_RULES: readonly AuditRule[] = [
  auditRule(deleteGroups, function* (_, { results }) {
    for (const { groupId, errorCode } of results) yield { act: 'group.delete', object: groupId, errorCode };
  }),
  // Members commit what they have consumed. Who is none sets offsets: an administrator, or a consumer that takes its partitions itself.
  auditRule(offsetCommit, function* ({ groupId, memberId, topics: asked }, { topics }, { broker }) {
    if (memberId !== '') return;
    const names = asked.map(({ name, topicId }) => name || (broker.streams.getById(topicId)?.name ?? topicId));
    const errorCode = firstError([...topics].flatMap(({ partitions }) => [...partitions]));
    yield { act: 'offsets.set', object: groupId, details: { streams: names }, errorCode };
  }),
  auditRule(offsetDelete, function* ({ groupId, topics: asked }, { errorCode, topics }) {
    const details = { streams: asked.map(({ name }) => name) };
    const error = errorCode || firstError([...topics].flatMap(({ partitions }) => [...partitions]));
    yield { act: 'offsets.delete', object: groupId, details, errorCode: error };
  }),
  auditRule(alterShareGroupOffsets, function* ({ groupId, topics }, { errorCode, errorMessage, responses }) {
    const details = { streams: topics.map(({ topicName }) => topicName) };
    const error = errorCode || firstError([...responses].flatMap(({ partitions }) => [...partitions]));
    yield { act: 'offsets.set', object: groupId, details, errorCode: error, errorMessage };
  }),
  auditRule(deleteShareGroupOffsets, function* ({ groupId, topics }, { errorCode, errorMessage, responses }) {
    const details = { streams: topics.map(({ topicName }) => topicName) };
    const error = errorCode || firstError(responses);
    yield { act: 'offsets.delete', object: groupId, details, errorCode: error, errorMessage };
  }),
  auditRule(writeTxnMarkers, function* ({ markers: asked }, { markers }) {
    for (const { producerId, topics } of markers) {
      const marker = asked.find((each) => each.producerId === producerId);
      const partitions = [...topics].flatMap(({ name, partitions: some }) =>
        [...some].map(({ partitionIndex, errorCode }) => ({ partition: `${name}-${partitionIndex}`, errorCode })),
      );
      const details = {
        outcome: marker?.transactionResult === true ? 'commit' : 'abort',
        partitions: partitions.map(({ partition }) => partition),
      };
      yield { act: 'transaction.end', object: String(producerId), details, errorCode: firstError(partitions) };
    }
  }),
];
