import type { ClientQuotaKey } from '../../broker/index.ts';
import { TooManyRequests } from './errors.ts';
import type { Call } from './route.ts';

/** What stands for the client id in quotas: requests have none. */
const CLIENT_ID = 'http';

/** Throws 429 for a user who has used more than the quota, with when to come again (KIP-13, KIP-599). */
export function checkQuota({ broker, user }: Call, key: ClientQuotaKey): void {
  if (broker.quotas.isEmpty) return;
  const waitMs = broker.quotas.record(key, user.name, CLIENT_ID, 0);
  if (waitMs > 0) throw new TooManyRequests(Math.ceil(waitMs / 1000), `the quota ${key} of '${user.name}' is used up`);
}

/** Counts what a request used. Answers for how many milliseconds the user is to use nothing more. */
export function useQuota({ broker, user }: Call, key: ClientQuotaKey, amount: number): number {
  return broker.quotas.isEmpty || amount <= 0 ? 0 : broker.quotas.record(key, user.name, CLIENT_ID, amount);
}
