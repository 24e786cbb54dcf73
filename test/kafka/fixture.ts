import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { type CreateBrokerOptions, createBroker, type RunningBroker } from '../../src/index.ts';

/** A broker in this process on a free port; the end of the test closes it. */
export async function startBroker(
  options: CreateBrokerOptions = {},
): Promise<RunningBroker & { readonly address: string }> {
  const broker = await createBroker({ listeners: ['kafka://127.0.0.1:0'], ...options });
  onTestFinished(() => broker.close());
  return { ...broker, address: `127.0.0.1:${broker.listeners[0]?.port}` };
}

/** An empty directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export function kafkajs(address: string): Kafka {
  return new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20, retries: 12 } });
}

/** Waits until something holds, looking again whenever the event loop has turned. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
