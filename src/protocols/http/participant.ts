import { Participant } from '../../broker/index.ts';
import type { Call } from './route.ts';

const MAX_CLIENT_LENGTH = 200;

/** Who asks, for traces; undefined while nothing is traced. */
export function participantOf({
  broker,
  user,
  header,
}: Pick<Call, 'broker' | 'user' | 'header'>): Participant | undefined {
  if (!broker.turns.tracing.on) return undefined;
  const client = (header('user-agent') ?? '').slice(0, MAX_CLIENT_LENGTH);
  return new Participant({ protocol: 'HTTP', user: user.name, connection: '', client });
}
