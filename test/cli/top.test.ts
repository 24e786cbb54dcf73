import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { sluice } from './sluice.ts';
import { hasTerminals, Terminal, type TerminalOptions } from './terminal.ts';

const BIN = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

function top(broker: ManagedBroker, args: readonly string[] = [], options: TerminalOptions = {}): Terminal {
  return new Terminal([process.execPath, BIN, 'top', '--url', broker.url, '--interval', '0.2', ...args], options);
}

async function withQueues(): Promise<ManagedBroker> {
  const broker = await ManagedBroker.start();
  const queues = ['orders', 'jobs', 'mails'].map((name) => ({
    name,
    vhost: '/',
    durable: true,
    auto_delete: false,
    arguments: {},
  }));
  await broker.text(['definitions', 'import'], { stdin: JSON.stringify({ queues }) });
  return broker;
}

test.skipIf(!hasTerminals)('queues are watched as they change, sorted and filtered by keys', async () => {
  const broker = await withQueues();
  const screen = top(broker, [], { columns: 110, rows: 20 });
  await screen.shows(/MESSAGES▼/);
  expect(screen.lines[0]).toMatch(/^Sluice \S+ {3}up .* {3}ready$/);
  await broker.text(['queue', 'publish', 'jobs', '--lines'], { stdin: 'a\nb\nc\n' });
  await screen.shows(/^NAME.*\njobs .* 3 /m);
  await screen.until(() => /^jobs .* 3 /.test(screen.lines[6] ?? ''), 'jobs stands at the top');

  // Around to the name, and from its end.
  screen.type('<<<<<');
  await screen.until(
    () => /^jobs/.test(screen.lines[6] ?? '') && /^mails/.test(screen.lines[7] ?? ''),
    'sorted by name',
  );
  screen.type('r');
  await screen.until(() => /^orders/.test(screen.lines[6] ?? ''), 'sorted the other way round');
  screen.type('/MAI');
  await screen.shows(/names with: MAI_/);
  screen.type('\r');
  await screen.until(() => /^mails/.test(screen.lines[6] ?? '') && screen.lines[7] === '', 'only mails is left');
  expect(screen.lines[3]).toContain('1 queue, named *MAI*');
  screen.type('?');
  await screen.shows(/scroll;/);
  screen.type('?4');
  await screen.shows(/\[4 connections\]/);
  screen.type('q');
  expect(await screen.finished).toEqual({ code: 0, sameModes: true });
  // The cursor is there again, and what was on the screen before.
  expect(screen.output).toContain('\x1b[?25h\x1b[?1049l');
});

test.skipIf(!hasTerminals)('it fits every size of the terminal', async () => {
  const broker = await withQueues();
  const screen = top(broker, [], { columns: 100, rows: 20 });
  await screen.shows(/orders/);
  screen.resize(30, 8);
  await screen.shows(/^NAME +VHOST +TYPE *$/m);
  await screen.until(() => screen.lines[7]?.startsWith('q end') === true, 'the last line has the keys');
  expect(screen.lines.every((line) => line.length <= 30)).toBe(true);
  screen.resize(120, 40);
  await screen.shows(/CONSUMERS/);
  screen.type('\x03');
  expect(await screen.finished).toEqual({ code: 0, sameModes: true });
});

test.skipIf(!hasTerminals)(
  'a broker that goes and comes back is told of, and the terminal is as it was after a signal',
  async () => {
    const broker = await withQueues();
    const screen = top(broker, ['--view', 'streams']);
    await screen.shows(/\[2 streams\]/);
    await broker.stop();
    await screen.shows(/nothing listens there/);
    await ManagedBroker.start(['--storage', 'memory', '--listen', broker.url]);
    await screen.until(() => screen.lines[0]?.includes('ready') === true, 'the broker is back');
    screen.type('q');
    expect(await screen.finished).toMatchObject({ sameModes: true });
  },
);

test.skipIf(!hasTerminals)('without colours there are none', async () => {
  const broker = await withQueues();
  const screen = top(broker, [], { env: { NO_COLOR: '1' } });
  await screen.shows(/orders/);
  screen.type('q');
  await screen.finished;
  expect(screen.output.split('\x1b[').filter((part) => /^[0-9;]*m/.test(part))).toEqual([]);
});

test.skipIf(!hasTerminals)('what is wrong from the beginning is told on the terminal as it is', async () => {
  const broker = await ManagedBroker.start();
  await broker.stop();
  const screen = top(broker);
  expect(await screen.finished).toEqual({ code: 1, sameModes: true });
  expect(screen.output).toMatch(/^sluice: cannot talk to .*nothing listens there/);
});

test('a script gets it once', async () => {
  const broker = await withQueues();
  const text = await broker.text(['top', '--once', '--filter', 'ord']);
  expect(text).toMatch(/^orders +\/ +classic +0 +0 +0/m);
  expect(text).not.toContain('\x1b');
  expect(await sluice(['top'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--once') });
});
