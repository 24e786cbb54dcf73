import { afterAll, beforeAll, describe, it } from 'vitest';
import { NatsCluster, natsServerVersion } from './cluster.ts';
import { type Disturbance, failover } from './failover.ts';

const version = natsServerVersion();

// A server of 2.9 that was frozen can be elected with an old log, and the others then drop what they acknowledged without
// it (seen with 2.9.10: a stream went back from sequence 2443 to 1313). No client can mend that.
const keepsItsWordWhenFrozen = version !== undefined && !/v2\.[0-9]\./.test(version);

const ROUNDS: readonly (readonly [readonly Disturbance[], Disturbance])[] = [
  [['kill', 'kill', 'step-down', 'kill'], 'kill'],
  [['outage', 'kill'], 'outage'],
  [['step-down', 'step-down', 'outage', 'kill'], 'step-down'],
  ...(keepsItsWordWhenFrozen ? ([[['freeze', 'step-down', 'freeze'], 'freeze']] as const) : []),
];

describe.skipIf(version === undefined)('a commit log whose stream is disturbed for minutes', () => {
  let cluster: NatsCluster;

  beforeAll(async () => {
    cluster = await NatsCluster.start();
  });

  afterAll(() => cluster?.stop());

  for (const [i, [disturbances, last]] of ROUNDS.entries()) {
    it(`keeps exactly what it acknowledged: ${disturbances.join(', ')}; taken over during ${last}`, async () => {
      await failover(cluster, `slow-${i}`, disturbances, last);
    });
  }
});
