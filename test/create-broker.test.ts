import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const index = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const rawClient = fileURLToPath(new URL('kafka/raw-client.ts', import.meta.url));

/** A program with 20 brokers at once, clients that are connected to them, and nothing that ends it but its own end. */
const PROGRAM = `
  import { createBroker } from ${JSON.stringify(index)};
  import { RawClient } from ${JSON.stringify(rawClient)};
  for (const clock of ['system', 'virtual']) {
    const brokers = await Promise.all(
      Array.from({ length: 20 }, () => createBroker({ clock, listeners: ['kafka://127.0.0.1:0'] })),
    );
    const ports = brokers.map(({ listeners }) => listeners[0].port);
    if (new Set(ports).size !== 20) throw new Error('a port was given twice');
    const clients = await Promise.all(ports.map((port) => RawClient.connect(port)));
    await Promise.all(brokers.map((broker) => broker.idle()));
    await Promise.all(brokers.map((broker) => broker.close()));
    await Promise.all(clients.map(({ closed }) => closed));
    const left = process.getActiveResourcesInfo().filter((name) => /TCP|Server/.test(name));
    if (left.length > 0) throw new Error(left.join());
  }
  console.log('done');
`;

test('20 brokers live side by side in a process, and when they are closed it ends by itself', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(Buffer.concat(output).toString()).toBe('done\n');
  expect(code).toBe(0);
}, 30_000);
