import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realEnvironment } from '../../src/environment/real.ts';
import type { BrokerError } from '../../src/errors.ts';
import { JetStreamCommitLog, type JetStreamCommitLogOptions } from '../../src/storage/commit-log/jetstream.ts';
import { NatsCluster, natsServerVersion } from './cluster.ts';
import { Cut } from './cut.ts';
import { Witness } from './witness.ts';

const { clock, random } = realEnvironment();

describe.skipIf(natsServerVersion() === undefined)('a commit log over three servers', () => {
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

  function open(shard: string, options: Partial<JetStreamCommitLogOptions> = {}): JetStreamCommitLog {
    return new JetStreamCommitLog({ connection, clock, random, shard, ...options });
  }

  /** What a writer after all others finds. */
  async function found(shard: string): Promise<string[]> {
    const { witness, groups } = await Witness.replay('reader', open(shard));
    await witness.log.close();
    return groups;
  }

  /** Stores a message as a writer might have. */
  async function store(shard: string, sequence: number, author: string, epoch: number, kind: string): Promise<void> {
    const header = headers();
    header.set('Nats-Expected-Last-Sequence', String(sequence - 1));
    header.set('Sluice-Kind', kind);
    header.set('Sluice-Epoch', String(epoch));
    header.set('Sluice-Writer', author);
    const answer = await connection.request(`sluice.commit-log.${shard}`, Buffer.from(`${author} ${sequence}`), {
      headers: header,
      timeout: 5_000,
    });
    expect(answer.json()).toMatchObject({ seq: sequence });
  }

  it('stores every group once when answers are lost and connections break', async () => {
    const cut = await Cut.before(cluster.urls[0] as string);
    const through = await cluster.connect([cut.url]);
    const witness = await Witness.open('cut', open('cut', { connection: through, settings: { ackTimeoutMs: 200 } }));
    const running = witness.run(3_000, 100);
    for (let i = 1; i <= 8; i++) {
      await witness.untilDurable(i * 300);
      cut.swallow();
      const appended = witness.ends.length;
      // Time enough for messages to arrive whose answers are swallowed: until another writer's round trip is over.
      await connection.flush();
      await (await jetstreamManager(connection)).streams.info('SLUICE_cut');
      expect(witness.ends.length).toBeLessThanOrEqual(appended + 100);
      cut.break();
    }
    await running;
    expect(witness.failure).toBeUndefined();
    expect(witness.durable).toBe(3_000);
    await witness.log.close();
    await through.close();
    await cut.close();
    expect(await found('cut')).toEqual(witness.acknowledged());
  });

  it('lets a deposed writer that has many messages under way store nothing that counts', async () => {
    const shard = 'deposed';
    const formerConnection = await cluster.connect([cluster.urls[0] as string]);
    const nextConnection = await cluster.connect([cluster.urls[0] as string]);
    const hold = holdPublishes(formerConnection);
    const former = await Witness.open('former', open(shard, { connection: hold.connection }));
    await former.run(10, 10);
    hold.begin();
    for (let i = 0; i < 16; i++) former.append();

    // The former writer's messages go out when the first claim of the next one is stored, before the second is sent.
    let claims = 0;
    const takingOver = new Proxy(nextConnection, {
      get(target, name) {
        if (name !== 'request') return bound(target, name);
        return async (...request: Parameters<NatsConnection['request']>) => {
          if (!request[0].startsWith('sluice.')) return target.request(...request);
          if (claims++ === 0) {
            const answer = await target.request(...request);
            hold.release();
            await formerConnection.flush();
            return answer;
          }
          while (hold.holding) await nextConnection.flush();
          await formerConnection.flush();
          return target.request(...request);
        };
      },
    });
    const next = await Witness.open('next', open(shard, { connection: takingOver }));
    await former.untilDurable(26);
    expect(former.failure).toMatchObject({ code: 'fenced' });
    expect(former.durable).toBe(10);
    await next.run(50, 20);
    expect(next.failure).toBeUndefined();

    // The gap was there, and it was used: some of the former writer's messages lie behind the take-over message.
    const manager = await jetstreamManager(connection);
    const authors: (string | undefined)[] = [];
    for (let sequence = former.ends[9] as number; sequence < (former.ends[9] as number) + 17; sequence++) {
      const message = await manager.streams.getMessage('SLUICE_deposed', { seq: sequence });
      authors.push(`${message?.header.get('Sluice-Kind')} of epoch ${message?.header.get('Sluice-Epoch')}`);
    }
    expect(authors.slice(0, 4)).toEqual([
      'group of epoch 1',
      'take-over of epoch 2',
      'group of epoch 1',
      'group of epoch 1',
    ]);
    expect(await found(shard)).toEqual([...former.acknowledged(), ...next.acknowledged()]);
    await Promise.all([former.log.close(), next.log.close()]);
    await Promise.all([formerConnection.close(), nextConnection.close()]);
  });

  it('takes over from a writer that never pauses, and from one that died while it took over', async () => {
    const former = await Witness.open('former', open('busy'));
    const endless = former.run(Number.MAX_SAFE_INTEGER, 1_000);
    await former.untilDurable(1_000);
    const next = await Witness.open('next', open('busy'));
    await endless;
    expect(former.failure).toMatchObject({ code: 'fenced' });
    const last = await next.run(5, 5).then(() => next.ends[4] as number);
    await next.log.close();
    // It claimed a sequence, and was gone; a message of the writer before it slipped in behind.
    await store('busy', last + 1, 'dead', 9, 'take-over');
    await store('busy', last + 2, 'next', next.epoch, 'group');
    const { witness, groups } = await Witness.replay('last', open('busy'));
    expect(witness.epoch).toBe(10);
    expect(groups.length).toBe(former.durable + 5);
    expect(groups).toEqual([...former.acknowledged(), ...next.acknowledged()]);
    await Promise.all([former.log.close(), witness.log.close()]);
  });

  it('lets one of many that open at the same time win, and gives no epoch twice', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, (_, i) => Witness.open(`w${i}`, open('many'))));
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'fenced' });
    }
    expect(new Set(opened.map(({ epoch }) => epoch)).size).toBe(opened.length);
    await Promise.all(opened.map((witness) => witness.run(20, 5)));
    const accepted = opened.filter(({ failure }) => failure === undefined);
    expect(accepted.length).toBeLessThanOrEqual(1);
    expect(await found('many')).toEqual(opened.flatMap((witness) => witness.acknowledged()));
    await Promise.all(opened.map(({ log }) => log.close()));
  });

  it('ends a writer whose successor has truncated the stream already', async () => {
    const former = await Witness.open('former', open('late'));
    await former.run(3, 3);
    const next = await Witness.open('next', open('late'));
    await next.run(20, 20);
    await next.log.truncate(next.ends[9] as number);
    former.append();
    await former.untilDurable(4);
    expect(former.failure).toMatchObject({ code: 'fenced' });
    await next.log.close();
    expect(await found('late')).toEqual(next.acknowledged().slice(10));
    await former.log.close();
  });

  it('gives a newer epoch after writers that died while they took over, with whatever epoch they hoped for', async () => {
    const former = await Witness.open('former', open('stale', { settings: { inFlight: 4 } }));
    await former.run(5, 5);
    // All hoped for an epoch that was not the newest any more; there are more of them than anyone looks at first.
    let sequence = former.ends[4] as number;
    await store('stale', ++sequence, 'dead', former.epoch, 'take-over');
    // A message of the deposed writer behind the message that ended it.
    former.append();
    await former.untilDurable(6);
    expect(former.failure).toMatchObject({ code: 'fenced' });
    for (let i = 0; i < 1_500; i++) await store('stale', ++sequence, `dead ${i >> 8}`, former.epoch, 'take-over');
    const { witness, groups } = await Witness.replay('next', open('stale'));
    expect(witness.epoch).toBeGreaterThan(former.epoch);
    expect(groups).toEqual(former.acknowledged());
    await Promise.all([former.log.close(), witness.log.close()]);
  });

  it('drops a group of which its writer could not store the end', async () => {
    const random = { ...realEnvironment().random, uuid: () => 'torn' };
    const witness = await Witness.open('torn', open('torn', { random }));
    await witness.run(3, 3);
    await witness.log.close();
    const header = headers();
    header.set('Sluice-Kind', 'group');
    header.set('Sluice-Epoch', String(witness.epoch));
    header.set('Sluice-Writer', 'torn');
    header.set('Sluice-Part', '1/2');
    await connection.request('sluice.commit-log.torn', Buffer.from('half'), { headers: header, timeout: 5_000 });
    const next = await Witness.replay('next', open('torn'));
    expect(next.groups).toEqual(witness.acknowledged());
    await next.witness.run(3, 3);
    await next.witness.log.close();
    expect(await found('torn')).toEqual([...witness.acknowledged(), ...next.witness.acknowledged()]);
  });

  it('waits when the stream is full, and goes on after a truncation', async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: 'SLUICE_full',
      subjects: ['sluice.commit-log.full'],
      num_replicas: 3,
      discard: 'new',
      max_bytes: 512 * 1024,
    });
    const { promise: trouble, resolve } = Promise.withResolvers<BrokerError>();
    const witness = await Witness.open('full', open('full', { onTrouble: resolve }));
    for (let i = 0; i < 80; i++) witness.append(10_000);
    expect(await trouble).toMatchObject({ code: 'storage-full' });
    expect(witness.failure).toBeUndefined();
    expect(witness.durable).toBeGreaterThan(10);
    const before = witness.durable;
    await witness.log.truncate(witness.ends[before - 1] as number);
    await witness.untilDurable(80);
    expect(witness.failure).toBeUndefined();
    await witness.log.close();
    expect(await found('full')).toEqual(witness.acknowledged().slice(before));
  });

  it('refuses a stream that would lose messages by itself, that somebody wrote to, or that is another one', async () => {
    const manager = await jetstreamManager(connection);
    const subjects = ['sluice.commit-log.aging'];
    await manager.streams.add({ name: 'SLUICE_aging', subjects, discard: 'new', max_age: 3_600_000_000_000 });
    await expect(Witness.open('aging', open('aging'))).rejects.toMatchObject({ code: 'invalid-configuration' });

    const witness = await Witness.open('written', open('written'));
    await witness.run(3, 3);
    await connection.request('sluice.commit-log.written', Buffer.from('from somebody'));
    witness.append();
    await witness.untilDurable(4);
    expect(witness.failure).toMatchObject({ code: 'fenced' });
    await witness.log.close();
    await expect(Witness.open('written', open('written'))).rejects.toMatchObject({ code: 'storage-damaged' });

    await manager.streams.delete('SLUICE_written');
    const log = open('written');
    await log.open({ written: () => {}, durable: () => {}, failed: () => {} });
    await expect(log.replay(5_000, () => {})).rejects.toMatchObject({ code: 'storage-damaged' });
    await log.close();
  });
});

/** A connection whose publishes can be held back, as a slow network would. */
function holdPublishes(target: NatsConnection) {
  let held: Parameters<NatsConnection['publish']>[] | undefined;
  return {
    get holding(): boolean {
      return held !== undefined;
    },
    begin(): void {
      held = [];
    },
    release(): void {
      const publishes = held ?? [];
      held = undefined;
      for (const publish of publishes) target.publish(...publish);
    },
    connection: new Proxy(target, {
      get(_, name) {
        if (name !== 'publish') return bound(target, name);
        return (...publish: Parameters<NatsConnection['publish']>) => {
          if (held !== undefined) held.push(publish);
          else target.publish(...publish);
        };
      },
    }),
  };
}

function bound(target: NatsConnection, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
