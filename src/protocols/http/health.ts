import type { Broker } from '../../broker/index.ts';

/** Why the broker does not take what it is sent. */
export type Trouble = 'memory' | 'disk' | 'storage';

/** Empty when publishers and consumers are served. */
export function troubles(broker: Broker): Trouble[] {
  const found = new Set<Trouble>();
  if (broker.memoryAlarm.raised) found.add('memory');
  for (const { full, closed } of broker.shards) {
    if (full) found.add('disk');
    if (closed !== undefined) found.add('storage');
  }
  return [...found];
}
