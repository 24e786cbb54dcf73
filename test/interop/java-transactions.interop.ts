import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startBroker } from '../kafka/fixture.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';

// Kafka's own client in Java, which has an epoch for each transaction (KIP-890) where the broker says that it may.

const CURRENT = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];
const COPIER = fileURLToPath(new URL('java/TransactionalCopier.java', import.meta.url));

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: transactions of Kafka's Java client: ${lack}\n`);

describe.skipIf(lack !== undefined)('transactions of the Java client', () => {
  it.each([1, 3])('copy a topic exactly once, over %i shards', async (shards) => {
    const tools = new JavaTools(await classPath(CURRENT));
    const { address } = await startBroker({ settings: { storage: { shards }, kafka: { numPartitions: 3 } } });
    // What comes before the answer is the logger's, which there is none of.
    const answer = (await tools.run(COPIER, [address])).split('\n').find((line) => line.startsWith('{')) ?? '';
    expect(JSON.parse(answer)).toEqual({ count: 200, sum: 19_900 });
    const server = ['--bootstrap-server', address];
    const listed = await tools.run('org.apache.kafka.tools.TransactionsCommand', [...server, 'list']);
    expect(listed).toMatch(/copier\s+\d+\s+\d+\s+Complete(Commit|Abort)/);
  });
});
