import { afterAll, beforeAll, describe, it } from 'vitest';
import { NatsCluster, natsServerVersion } from './cluster.ts';
import { failover } from './failover.ts';

describe.skipIf(natsServerVersion() === undefined)('a commit log whose stream loses its leader', () => {
  let cluster: NatsCluster;

  beforeAll(async () => {
    cluster = await NatsCluster.start();
  });

  afterAll(() => cluster?.stop());

  it('loses nothing, stores nothing twice and keeps the order, also when another writer takes over', async () => {
    await failover(cluster, 'failover', ['kill', 'step-down', 'kill']);
  });
});
