import { appendFile, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BackupShown } from '../../src/protocols/http/shapes/backups.ts';
import { until } from '../kafka/fixture.ts';
import { BrokerProcess, type Finished, sluice, temporaryDirectory } from './sluice.ts';

interface Home {
  readonly data: string;
  readonly backups: string;
  readonly set: string;
}

async function newHome(): Promise<Home> {
  const home = await temporaryDirectory();
  const backups = join(home, 'backups');
  return { data: join(home, 'data'), backups, set: join(backups, 'main') };
}

/** A broker, and how commands reach its API. */
async function start({ data, backups }: Home, bytesPerSecond = 100_000_000) {
  const broker = await BrokerProcess.start(['--data', data, '--listen', 'http://127.0.0.1:0'], {
    env: { SLUICE_BACKUP_DIRECTORY: backups, SLUICE_BACKUP_BYTES_PER_SECOND: String(bytesPerSecond) },
  });
  const [, url = ''] = await broker.says(/(http:\/\/\S+)/);
  const backup = (...args: string[]): Promise<Finished> => sluice(['backup', ...args, '--url', url]);
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await backup(...args, '--json');
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };
  return { broker, backup, json };
}

async function records({ broker }: { readonly broker: BrokerProcess }, topic: string): Promise<string[]> {
  const { stdout } = await broker.run(['consume', topic, '--from', 'earliest', '--exit', '--format', '%v\n']);
  return stdout.split('\n').filter((line) => line !== '');
}

it('a running broker is backed up, its backups are looked at and deleted, and one is restored', {
  timeout: 240_000,
}, async () => {
  const home = await newHome();
  const first = await start(home);
  await first.broker.run(['produce', 'orders'], { stdin: 'one\ntwo\n' });
  const made = (await first.json('create')) as BackupShown;
  await first.broker.run(['produce', 'orders'], { stdin: 'three\n' });
  const { stdout } = await first.backup('create');
  expect(stdout).toMatch(/^backup \S+ in main: the state of 20\d\d-.*Z, \S+ .*, of which .* are new\n$/);
  const backups = (await first.json('list')) as BackupShown[];
  expect(backups.map(({ set, state }) => [set, state])).toEqual([
    ['main', 'complete'],
    ['main', 'complete'],
  ]);
  expect((await first.backup('list')).stdout).toContain(made.name);
  expect((await first.backup('verify', made.name)).stdout).toBe(`backup ${made.name} is whole\n`);
  expect((await first.backup('verify', '20200101T000000Z')).stderr).toMatch(/there is no backup/);
  expect((await first.backup('status')).stdout).toMatch(/verifying a backup of set 'main': /);
  expect(await first.json('prune', '--keep', '1')).toEqual([made.name]);
  await first.broker.stop();
  await rm(home.data, { recursive: true });
  const restored = await sluice(['restore', home.set, '--to', home.data]);
  expect(restored.stdout).toMatch(/^restored to .*: the state of 20.*Z, .*, from backup /);
  const second = await start(home);
  expect(await records(second, 'orders')).toEqual(['one', 'two', 'three']);
  await second.broker.stop();
});

it('a stopped broker is backed up from its directory; damage is told by file and byte, and refused or skipped', {
  timeout: 240_000,
}, async () => {
  const home = await newHome();
  const first = await start(home);
  await first.broker.run(['produce', 'orders'], { stdin: 'one\ntwo\n' });
  const running = await sluice(['backup', 'create', home.set, '--data', home.data]);
  expect([running.code, running.stderr]).toEqual([1, expect.stringMatching(/is held by process/)]);
  await first.broker.stop();
  const { stdout } = await sluice(['backup', 'create', home.set, '--data', home.data, '--json']);
  const { name } = JSON.parse(stdout) as BackupShown;
  const here = ['--directory', home.set];
  expect((await sluice(['backup', 'verify', ...here])).code).toBe(0);
  const refused = await sluice(['restore', home.set, '--to', home.data]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/is not empty.*--force/)]);
  const unasked = await sluice(['restore', home.set, '--to', home.data, '--force']);
  expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringMatching(/--yes/)]);
  const [pack = ''] = await readdir(join(home.set, 'packs'));
  const path = join(home.set, 'packs', pack);
  await truncate(path, 100);
  await appendFile(path, Buffer.alloc(100_000));
  const verified = await sluice(['backup', 'verify', ...here]);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toMatch(/packs\/\S+\.pack, byte \d+: /);
  const damaged = await sluice(['restore', home.set, '--to', `${home.data}-2`]);
  expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringMatching(/packs\/\S+\.pack, byte \d+: /)]);
  expect((await sluice(['start', '--data', `${home.data}-2`, '--listen', 'kafka://127.0.0.1:0'])).stderr).toMatch(
    /did not come to its end/,
  );
  expect((await sluice(['backup', 'delete', name, ...here])).stdout).toBe(`deleted ${name}\n`);
  expect((await sluice(['backup', 'list', ...here])).stdout).toMatch(/^no backups/);
});

it('a broker that is killed while it makes a backup leaves the former ones whole, and makes the next', {
  timeout: 240_000,
}, async () => {
  const home = await newHome();
  const first = await start(home);
  await first.broker.run(['produce', 'orders'], { stdin: 'one\n' });
  const made = (await first.json('create')) as BackupShown;
  await first.broker.stop();
  const slow = await start(home, 65_536);
  const line = `${'x'.repeat(100_000)}\n`;
  await slow.broker.run(['produce', 'large'], { stdin: line.repeat(20) });
  await slow.json('create', '--full', '--no-wait');
  await until(async () => (await readdir(join(home.set, 'packs'))).some((name) => !name.startsWith(made.name)));
  await slow.broker.stop('SIGKILL');
  const here = ['--directory', home.set];
  const left = JSON.parse((await sluice(['backup', 'list', ...here, '--json'])).stdout) as BackupShown[];
  expect(left.map(({ name }) => name)).toEqual([made.name]);
  expect((await sluice(['backup', 'verify', made.name, ...here])).code).toBe(0);
  const third = await start(home);
  const next = (await third.json('create')) as BackupShown;
  expect((await third.backup('verify', next.name)).stdout).toBe(`backup ${next.name} is whole\n`);
  const packs = await readdir(join(home.set, 'packs'));
  expect(packs.every((name) => name.startsWith(made.name) || name.startsWith(next.name))).toBe(true);
  await third.broker.stop('SIGKILL');
});
