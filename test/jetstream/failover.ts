import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { realEnvironment } from '../../src/environment/real.ts';
import { JetStreamCommitLog } from '../../src/storage/commit-log/jetstream.ts';
import { leaderOf, type NatsCluster, stepDown } from './cluster.ts';
import { Witness } from './witness.ts';

const { clock, random } = realEnvironment();

/**
 * - `kill`: the leader's process is killed, and started again when another one leads.
 * - `step-down`: the leader hands over.
 * - `freeze`: the leader stops for longer than its followers wait, then goes on as if it still led.
 * - `outage`: two of three servers are killed; there is no quorum for some seconds.
 */
export type Disturbance = 'kill' | 'step-down' | 'freeze' | 'outage';

/** In flight or waiting, at most. */
const AHEAD = 200;
const OUTAGE_MS = 5_000;
const LEADERLESS_MS = 15_000;

/**
 * One writer appends while its stream is disturbed again and again. Then another one takes over while the first goes on,
 * with one more disturbance meanwhile. What a third one finds has to be exactly what the two were told is durable.
 */
export async function failover(
  cluster: NatsCluster,
  shard: string,
  disturbances: readonly Disturbance[],
  whileTakingOver?: Disturbance,
): Promise<void> {
  const connections: NatsConnection[] = [];
  const connect = async () => {
    const connection = await cluster.connect();
    connections.push(connection);
    return connection;
  };
  try {
    await disturbed(cluster, connect, shard, disturbances, whileTakingOver);
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

async function disturbed(
  cluster: NatsCluster,
  connect: () => Promise<NatsConnection>,
  shard: string,
  disturbances: readonly Disturbance[],
  whileTakingOver: Disturbance | undefined,
): Promise<void> {
  const open = async () => {
    const connection = await connect();
    return new JetStreamCommitLog({ connection, clock, random, shard, settings: { giveUpMs: 60_000 } });
  };
  const former = await Witness.open('former', await open());
  const observer = await connect();
  const disturb = (disturbance: Disturbance) => disturbLeader(cluster, observer, shard, disturbance, former);

  const running = former.run(Number.MAX_SAFE_INTEGER, AHEAD);
  for (const disturbance of disturbances) {
    await former.untilDurable(former.durable + 1_000);
    await disturb(disturbance);
    expect(former.failure).toBeUndefined();
  }
  await former.untilDurable(former.durable + 1_000);

  const meanwhile = whileTakingOver === undefined ? undefined : disturb(whileTakingOver);
  const next = await Witness.open('next', await open());
  await meanwhile;
  await running;
  expect(former.failure).toMatchObject({ code: 'fenced' });
  expect(next.epoch).toBeGreaterThan(former.epoch);
  await next.run(1_000, AHEAD);
  expect(next.failure).toBeUndefined();
  expect(next.durable).toBe(1_000);

  const { witness: last, groups } = await Witness.replay('last', await open());
  const told = [...former.acknowledged(), ...next.acknowledged()];
  // Not compared as a whole: a failure would print thousands of lines.
  const difference = told.findIndex((group, i) => group !== groups[i]);
  expect(
    difference === -1 ? undefined : `${groups[difference]} where ${told[difference]} was acknowledged`,
  ).toBeUndefined();
  expect(groups.slice(told.length)).toEqual([]);

  await Promise.all([former, next, last].map((witness) => witness.log.close()));
}

/** Ends when the cluster is whole again as far as processes go, and the writer got on (or was deposed). */
async function disturbLeader(
  cluster: NatsCluster,
  observer: NatsConnection,
  shard: string,
  disturbance: Disturbance,
  writer: Witness,
): Promise<void> {
  const stream = `SLUICE_${shard}`;
  const leader = await leaderOf(observer, stream);
  const { durable } = writer;
  // The two that are left do not always find a leader among them: one may have been away itself a moment ago.
  const goesOn = () => Promise.race([writer.untilDurable(durable + AHEAD + 100), sleep(LEADERLESS_MS)]);
  switch (disturbance) {
    case 'step-down':
      await stepDown(observer, stream);
      break;
    case 'kill':
      await cluster.kill(leader);
      await goesOn();
      cluster.restart(leader);
      break;
    case 'freeze':
      cluster.freeze(leader);
      await goesOn();
      cluster.thaw(leader);
      break;
    case 'outage': {
      const killed = [leader, ...cluster.names.filter((name) => name !== leader)].slice(0, 2);
      await Promise.all(killed.map((name) => cluster.kill(name)));
      // The outage has to last for the writer to run into it.
      await sleep(OUTAGE_MS);
      for (const name of killed) cluster.restart(name);
      break;
    }
  }
  await writer.untilDurable(durable + AHEAD + 200);
}
