import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { until } from '../kafka/fixture.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';
import { RestartableBroker } from './restartable-broker.ts';

// A producer as Debezium has it, of Kafka's own client.

const NEWEST = ['org.apache.kafka:kafka-tools:4.3.1', 'org.apache.kafka:kafka_2.13:4.3.1'];
const PROGRAM = fileURLToPath(new URL('java/ChangeCapture.java', import.meta.url));

interface CaptureEvent {
  readonly name: 'halfway' | 'done';
}

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: change data capture with Kafka's Java client: ${lack}\n`);

describe.skipIf(lack !== undefined)('change data capture', () => {
  test('every change is there once, in order, though the broker is killed twice with records on their way', async () => {
    const tools = new JavaTools(await classPath(NEWEST));
    const broker = await RestartableBroker.start();
    const program = tools.start<CaptureEvent>(PROGRAM, [broker.address]);
    for (const times of [1, 2]) {
      await until(() => program.events.filter(({ name }) => name === 'halfway').length === times);
      await broker.killAndStartAgain();
      program.say('go on\n');
    }
    await program.ended();
    expect(program.events.at(-1)).toEqual({ name: 'done', errors: 0, history: true, rows: 'once, in order' });
  }, 300_000);
});
