import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from '../../src/client/index.ts';
import { findCoordinator } from '../../src/protocols/kafka/codec/apis/find-coordinator.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';

const KEY_TYPES = { group: 0, transaction: 1 } as const;
/** A broker makes the coordinator's log when it is first asked for. */
const TRIES = 200;
const WAIT_MS = 100;
const COMING: ReadonlySet<number> = new Set([
  KafkaError.COORDINATOR_NOT_AVAILABLE,
  KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  KafkaError.NOT_COORDINATOR,
  KafkaError.CONCURRENT_TRANSACTIONS,
]);

/** Has the broker find who coordinates a group or a transactional id. */
export async function awaitCoordinator(client: KafkaClient, kind: keyof typeof KEY_TYPES, key: string): Promise<void> {
  await whileComing('FindCoordinator', async () => {
    const asked = { key, keyType: KEY_TYPES[kind], coordinatorKeys: [key] };
    const { errorCode, coordinators } = await client.request(findCoordinator, asked);
    return { errorCode: coordinators[0]?.errorCode ?? errorCode };
  });
}

/** Asks again for as long as the coordinator is not ready yet. Throws on any other error. */
export async function whileComing<Answer extends { readonly errorCode: number }>(
  what: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (answer.errorCode === KafkaError.NONE) return answer;
    if (!COMING.has(answer.errorCode) || tries === TRIES) throw new Error(`${what}: error ${answer.errorCode}`);
    await delay(WAIT_MS);
  }
}
