import { expect, test } from 'vitest';
import { streamConfig } from './stream-config.ts';

test("Kafka's former limit of timestamps holds in both directions, where the newer ones are not set", () => {
  const former = { 'message.timestamp.difference.max.ms': '5' };
  expect(streamConfig(former, {})).toMatchObject({ timestampBeforeMaxMs: 5, timestampAfterMaxMs: 5 });
  const both = { ...former, 'message.timestamp.after.max.ms': '7' };
  expect(streamConfig(both, {})).toMatchObject({ timestampBeforeMaxMs: 5, timestampAfterMaxMs: 7 });
  expect(streamConfig(former, { 'message.timestamp.before.max.ms': '9' }).timestampBeforeMaxMs).toBe(5);
});
