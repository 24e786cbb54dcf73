import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { hasTerminals, Terminal, type TerminalOptions } from './terminal.ts';

const BIN = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

function onTerminal(
  broker: ManagedBroker,
  args: readonly string[],
  { env, ...options }: TerminalOptions = {},
): Terminal {
  return new Terminal([process.execPath, BIN, ...args], {
    ...{ columns: 100, env: { SLUICE_CLIENT_URL: broker.url, ...env } },
    ...options,
  });
}

test.skipIf(!hasTerminals)('somebody at a terminal is asked before harm is done', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['queue', 'publish', 'orders', 'x']);
  const questions: [string[], RegExp][] = [
    [['queue', 'delete', 'orders'], /delete orders with all messages\? \[y\/N\]/],
    [['queue', 'purge', 'orders'], /drop 1 message of orders\? \[y\/N\]/],
    [['user', 'delete', 'guest'], /delete guest\?/],
    [['vhost', 'delete', '/'], /delete \/ with all queues/],
  ];
  for (const [args, question] of questions) {
    const asked = onTerminal(broker, args);
    await asked.shows(question);
    asked.type('n\r');
    await asked.finished;
    expect(asked.output).toMatch(/nothing was (deleted|dropped)/);
  }
  const agreed = onTerminal(broker, ['queue', 'purge', 'orders']);
  await agreed.shows(/\[y\/N\]/);
  agreed.type('y\r');
  expect(await agreed.finished).toMatchObject({ code: 0 });
  expect(agreed.output).toContain('purged orders: 1 message');
  expect(await broker.json(['user', 'list'])).toHaveLength(1);
});

test.skipIf(!hasTerminals)('passwords are asked for, and not shown', async () => {
  const broker = await ManagedBroker.start();
  const making = onTerminal(broker, ['user', 'create', 'anna', '--tags', 'management']);
  await making.shows(/New password of anna:/);
  making.type('geheim\r');
  await making.shows(/Again:/);
  making.type('geheim\r');
  expect(await making.finished).toMatchObject({ code: 0 });
  const asking = onTerminal(broker, ['user', 'whoami', '--user', 'anna']);
  await asking.shows(/Password of anna:/);
  asking.type('geheim\r');
  expect(await asking.finished).toMatchObject({ code: 0 });
  expect(asking.output).toMatch(/^name: anna/m);
  for (const { output } of [making, asking]) expect(output).not.toContain('geheim');
});

test.skipIf(!hasTerminals)('long work shows a bar, and colours are for terminals that want them', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  const lines = Array.from({ length: 1500 }, (_, n) => n).join('\\n');
  const command = `printf '${lines}' | '${process.execPath}' '${BIN}' queue publish orders --lines`;
  const publishing = new Terminal(['bash', '-c', command], { columns: 100, env: { SLUICE_CLIENT_URL: broker.url } });
  expect(await publishing.finished).toMatchObject({ code: 0 });
  expect(publishing.output).toMatch(/publishing █*░* +\d+ % \(\d+ of 1500\)/);
  expect(publishing.lines[0]).toBe('published 1500 messages');

  const plain = onTerminal(broker, ['status'], { env: { NO_COLOR: '1' } });
  const coloured = onTerminal(broker, ['status']);
  await Promise.all([plain.finished, coloured.finished]);
  expect(plain.output).not.toContain('\x1b[');
  expect(coloured.output).toContain('\x1b[32mready');
});
