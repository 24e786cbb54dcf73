import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rabbitmq, rabbitmqMissing } from '../../bench/peers/rabbitmq.ts';
import { createBroker } from '../../src/index.ts';
import { RandomOperations } from './random-operations.ts';

/*
 * The same random operations against RabbitMQ and against this broker: a client must not see a difference. `SEED=123` runs one
 * alone; `FIRST` and `SEEDS` choose a range.
 */

const FIRST = Number(process.env['SEED'] ?? process.env['FIRST'] ?? 1);
const SEEDS = process.env['SEED'] === undefined ? Number(process.env['SEEDS'] ?? 20) : 1;
const STEPS = 80;

test.skipIf(rabbitmqMissing() !== undefined)('a client sees what it sees of RabbitMQ', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-differential-'));
  // First the one that ends by itself if the other does not start.
  const sluice = await createBroker({ listeners: ['amqp://127.0.0.1:0'] });
  const peer = await rabbitmq().start(directory);
  try {
    const theirs = `amqp://guest:guest@${peer.address.host}:${peer.address.port}`;
    const ours = `amqp://guest:guest@127.0.0.1:${sluice.listeners[0]?.port}`;
    const differences: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS && differences.length < 5; seed++) {
      const [wanted, seen] = await Promise.all(
        [theirs, ours].map((url) => RandomOperations.run(url, seed, STEPS, `d${seed}-`)),
      );
      const at = wanted?.findIndex((line, i) => seen?.[i] !== line) ?? 0;
      if (at < 0 && wanted?.length === seen?.length) continue;
      const before = wanted?.slice(process.env['SEED'] === undefined ? Math.max(0, at - 3) : 0, at) ?? [];
      differences.push([`seed ${seed}:`, ...before, `RabbitMQ: ${wanted?.[at]}`, `Sluice:   ${seen?.[at]}`].join('\n'));
    }
    expect(differences.join('\n\n')).toBe('');
  } finally {
    await sluice.close();
    await peer.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
