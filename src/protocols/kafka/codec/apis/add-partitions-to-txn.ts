import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

const addPartitionsToTxnTopic = { name: string(), partitions: array(int32()) };

const addPartitionsToTxnPartitionResult = { partitionIndex: int32(), partitionErrorCode: int16() };

const addPartitionsToTxnTopicResult = { name: string(), resultsByPartition: array(addPartitionsToTxnPartitionResult) };

/** v3: flexible; from v4 on it is spoken between brokers, which verify several transactions at once (KIP-890). */
export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool({ default: false }),
        topics: array(addPartitionsToTxnTopic),
      },
      { since: 4, default: [] },
    ),
    v3AndBelowTransactionalId: string({ until: 3, default: '' }),
    v3AndBelowProducerId: int64({ until: 3, default: 0 }),
    v3AndBelowProducerEpoch: int16({ until: 3, default: 0 }),
    v3AndBelowTopics: array(addPartitionsToTxnTopic, { until: 3, default: [] }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 4, default: 0 }),
    resultsByTransaction: array(
      { transactionalId: string(), topicResults: array(addPartitionsToTxnTopicResult) },
      { since: 4, default: [] },
    ),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult, { until: 3, default: [] }),
  },
});

export type AddPartitionsToTxnRequest = RequestOf<typeof addPartitionsToTxn>;
export type AddPartitionsToTxnResponse = ResponseInput<typeof addPartitionsToTxn>;
