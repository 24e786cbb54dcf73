import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../broker-process.ts';

const READY_POLL_MS = 20;

/** Of a broker that prints nothing that says it is ready: asks until it answers. Throws when the broker ends before. */
export async function answering(
  address: Address,
  ended: AbortSignal,
  ask: (address: Address) => Promise<void>,
): Promise<Address> {
  while (!ended.aborted) {
    try {
      await ask(address);
      return address;
    } catch {
      await delay(READY_POLL_MS);
    }
  }
  throw new Error('the broker ended before it answered');
}
