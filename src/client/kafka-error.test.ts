import { expect, test } from 'vitest';
import { KafkaError } from '../protocols/kafka/codec/error-codes.ts';
import { kafkaError, throwOnError } from './kafka-error.ts';

test('no error throws nothing', () => {
  expect(() => throwOnError(KafkaError.NONE, 'topic orders', null)).not.toThrow();
});

test.each([
  [
    KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
    'This server does not host this topic-partition.',
    'not-found',
    'topic orders: there is no such topic or partition',
  ],
  [
    KafkaError.INVALID_CONFIG,
    'Unknown topic config name: x',
    'invalid-configuration',
    'topic orders: Unknown topic config name: x',
  ],
  [KafkaError.INVALID_CONFIG, null, 'invalid-configuration', 'topic orders: a setting or its value is none'],
  [KafkaError.POLICY_VIOLATION, null, 'internal', 'topic orders: policy violation'],
  [KafkaError.POLICY_VIOLATION, 'not on Fridays', 'internal', 'topic orders: not on Fridays'],
  [4711, null, 'internal', 'topic orders: error 4711'],
])('error %i with the detail %j is told in words', (code, detail, expectedCode, message) => {
  expect(kafkaError(code, 'topic orders', detail)).toMatchObject({ code: expectedCode, message });
});
