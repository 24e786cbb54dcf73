import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BrokerProcess, sluice, temporaryDirectory } from './sluice.ts';

/** Data of a broker that has stopped: a topic of three messages, and the commit log that they are in. */
async function stoppedBroker(): Promise<{ data: string; wal: string }> {
  const data = join(await temporaryDirectory(), 'data');
  const broker = await BrokerProcess.start(['--data', data]);
  for (const value of ['first', 'second', 'third'])
    expect((await broker.run(['produce', 'orders', '--value', value])).code).toBe(0);
  await broker.stop();
  const commitLog = join(data, 'shard-0/commit-log');
  const names = (await readdir(commitLog)).filter((name) => name.endsWith('.wal'));
  for (const name of names)
    if ((await readFile(join(commitLog, name))).includes('second')) return { data, wal: join(commitLog, name) };
  throw new Error(`the messages are in none of ${names}`);
}

async function damage(path: string, value: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.write('x', bytes.indexOf(value));
  await writeFile(path, bytes);
}

test('a start that is refused names the repair, which asks, and after which what is left can be read', async () => {
  const { data, wal } = await stoppedBroker();
  expect(await sluice(['repair', '--data', data])).toEqual({ code: 0, stdout: 'no damage\n', stderr: '' });
  await damage(wal, 'second');
  const refused = await sluice(['start', '--data', data, '--listen', 'kafka://127.0.0.1:0']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('sluice repair');

  const damaged = await readFile(wal);
  for (const way of [['--dry-run'], ['--dry-run', '--yes'], []]) {
    const looked = await sluice(['repair', '--data', data, ...way]);
    expect(looked.code).toBe(1);
    expect(looked.stdout).toMatch(
      /^shard-0\/commit-log\/\d{20}\.wal, byte \d+: is damaged.*\n {2}the log is cut there/,
    );
    // What the broker itself had appended by then is lost as well.
    expect(looked.stdout).toMatch(
      /\n {2}lost: offsets 2 to 2 of log [0-9a-f-]{36}\n( {2}lost: .*\n)*nothing was changed\n$/,
    );
  }
  expect(await readFile(wal)).toEqual(damaged);
  expect(await readdir(data)).not.toContain('repair-1');

  const repaired = await sluice(['repair', '--data', data, '--yes', '--json']);
  expect(repaired.code).toBe(0);
  expect(JSON.parse(repaired.stdout)).toMatchObject({ repaired: true, copies: 'repair-1', left: [] });
  const broker = await BrokerProcess.start(['--data', data]);
  expect(await broker.json(['consume', 'orders', '--from', 'earliest', '--exit'])).toMatchObject({ value: 'first' });
  expect((await sluice(['repair', '--data', data])).stderr).toMatch(/lock is held by process \d+: stop it/);
  await broker.stop();
});

test('where there is no data there is nothing to repair', async () => {
  const data = await temporaryDirectory();
  const { code, stderr } = await sluice(['repair', '--data', data]);
  expect(code).toBe(1);
  expect(stderr).toBe(`sluice: there is no broker's data in ${data}; name its directory: --data DIR\n`);
  expect(await readdir(data)).toEqual([]);
});
