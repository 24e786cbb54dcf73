import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe } from 'vitest';
import { realEnvironment } from '../../src/environment/real.ts';
import { JetStreamCommitLog } from '../../src/storage/commit-log/jetstream.ts';
import { commitLogContract } from '../../src/storage/commit-log.contract.ts';
import { NatsCluster, natsServerVersion } from './cluster.ts';

const { clock, random } = realEnvironment();

describe.skipIf(natsServerVersion() === undefined)('over three servers', () => {
  let cluster: NatsCluster;
  let connection: NatsConnection;

  beforeAll(async () => {
    cluster = await NatsCluster.start();
    connection = await cluster.connect();
  });

  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
  });

  let shards = 0;
  commitLogContract('jetstream', {
    fences: true,
    create: async () => {
      const shard = `contract-${shards++}`;
      return { open: () => new JetStreamCommitLog({ connection, clock, random, shard }), destroy: async () => {} };
    },
  });
});
