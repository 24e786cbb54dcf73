import type { BrokerError } from '../../errors.ts';
import type { Turn } from './turn.ts';

/** Resolves when all that the turn does is as safe as it asks to be, or to why it is not. */
export function turnEnd(turn: Turn): Promise<BrokerError | undefined> {
  return new Promise((resolve) => turn.wait({ turnSettled: (_, error) => resolve(error) }));
}
