import type { Turn } from '../../../broker/index.ts';
import type { BrokerError } from '../../../errors.ts';
import { AmqpError } from '../errors.ts';
import type { Transaction } from '../transaction.ts';
import type { ChannelContext } from './context.ts';

/**
 * Does in one turn what the transaction gathered. Resolves when that is durable; rejects when not everything was taken, which closes
 * the channel, as RabbitMQ has it.
 */
export async function commit(channel: ChannelContext): Promise<void> {
  const transaction = transactionOf(channel);
  const { consumers, publishing, session } = channel;
  const turn = session.broker.turns.current;
  let taken: boolean;
  try {
    taken = publishing.commit(turn);
    for (const { how, taken: deliveries } of transaction.settlements) {
      for (const { delivery, consumer } of deliveries) {
        delivery[how]();
        consumers.meter.settled(how);
        consumers.released(consumer);
      }
    }
  } finally {
    transaction.clear();
  }
  const error = await settled(turn);
  if (!taken || error !== undefined) throw new AmqpError('PRECONDITION_FAILED', 'partial tx completion');
}

/** Forgets what was published; what was settled is out again. */
export function rollback(channel: ChannelContext): void {
  const transaction = transactionOf(channel);
  channel.consumers.restore(transaction.settlements.flatMap(({ taken }) => taken));
  transaction.clear();
}

function transactionOf({ publishing }: ChannelContext): Transaction {
  if (publishing.transaction === undefined) throw new AmqpError('PRECONDITION_FAILED', 'channel is not transactional');
  return publishing.transaction;
}

function settled(turn: Turn): Promise<BrokerError | undefined> {
  return new Promise((resolve) => turn.wait({ turnSettled: (_turn, error) => resolve(error) }));
}
