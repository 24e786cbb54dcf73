import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { sluice, temporaryDirectory } from './sluice.ts';
import { hasTerminals, Terminal } from './terminal.ts';

const BIN = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/** What a shell loads, and a directory with the command for its PATH. */
async function installed(
  shell: string,
): Promise<{ readonly directory: string; readonly script: string; readonly env: Record<string, string> }> {
  const directory = await temporaryDirectory();
  const command = join(directory, 'sluice');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  await chmod(command, 0o755);
  const script = join(directory, '_sluice');
  const { stdout } = await sluice(['completion', shell]);
  await writeFile(script, stdout);
  return { directory, script, env: { PATH: `${directory}:${process.env['PATH']}`, HOME: directory } };
}

/** What bash completes at the end of a line. */
async function bashCompletes(lines: readonly string[], env: Record<string, string> = {}): Promise<string[][]> {
  const shell = await installed('bash');
  const asked = lines.map(
    (line) =>
      `COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}; _sluice; printf '%s\\n' "\${COMPREPLY[@]}"; echo --`,
  );
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `source '${shell.script}'\n${asked.join('\n')}`], {
    encoding: 'utf8',
    cwd: shell.directory,
    env: { ...process.env, ...shell.env, ...env },
  });
  expect(stderr).toBe('');
  return stdout
    .split('--\n')
    .slice(0, -1)
    .map((text) => text.split('\n').filter((word) => word !== ''));
}

test('bash completes commands, options and their values', async () => {
  const cases: [string, string[]][] = [
    ['sluice sta', ['start', 'status']],
    ['sluice queue pu', ['purge', 'publish']],
    ['sluice queue create x --ty', ['--type']],
    ['sluice queue declare x --type qu', ['quorum']],
    ['sluice top --interval 1 --vi', ['--view']],
    ['sluice top --view ', ['queues', 'streams', 'groups', 'connections']],
    ['sluice completion ', ['bash', 'zsh', 'fish']],
    ['sluice produce x --file _slu', []],
    ['sluice definitions import _slu', ['_sluice']],
    ['sluice user create x --new-password-file _slu', ['_sluice']],
    ['sluice queue create ', []],
    ['sluice nonsense x', []],
  ];
  const found = await bashCompletes(cases.map(([line]) => line));
  for (const [index, [line, expected]] of cases.entries()) expect(found[index], line).toEqual(expected);
});

test('bash completes names that the broker has, as the line says where it is', async () => {
  const broker = await ManagedBroker.start();
  for (const name of ['orders', 'orders:old', 'jobs', 'two words']) await broker.text(['queue', 'create', name]);
  await broker.text(['exchange', 'create', 'events']);
  await sluice(['topic', 'create', 'log', '--broker', broker.kafka]);
  const at = `--url ${broker.url}`;
  const cases: [string, string[]][] = [
    [`sluice queue show ${at} ord`, ['orders', 'orders:old']],
    [`sluice queue show ${at} orders:`, ['old']],
    [`sluice queue delete ${at} jobs two`, ['two\\ words']],
    [`sluice binding create ${at} eve`, ['events']],
    [`sluice binding create ${at} events job`, ['jobs']],
    [`sluice queue list ${at} --vhost `, ['/']],
    [`sluice queue show ${at} --user anna ord`, []],
    [`sluice consume --broker ${broker.kafka} l`, ['log']],
    ['sluice consume --broker 127.0.0.1:1 l', []],
    ['sluice user show --url 127.0.0.1:1 g', []],
  ];
  const found = await bashCompletes(cases.map(([line]) => line));
  for (const [index, [line, expected]] of cases.entries()) expect(found[index]?.toSorted(), line).toEqual(expected);
});

test.skipIf(!hasTerminals)('bash completes on a terminal', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  const { script, env } = await installed('bash');
  const shell = new Terminal(['bash', '--norc', '-i'], {
    columns: 120,
    env: { ...env, PS1: '$ ', SLUICE_CLIENT_URL: broker.url },
  });
  shell.type(`source '${script}'; echo ready\r`);
  await shell.shows(/^ready/m);
  shell.type('sluice queue sh\t');
  await shell.shows(/sluice queue show /);
  shell.type('ord\t');
  await shell.shows(/sluice queue show orders /);
  shell.type('\r');
  await shell.shows(/^name: +orders/m);
});

const HAS = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

test.skipIf(!hasTerminals || !HAS('zsh'))('zsh completes on a terminal', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  const { directory, env } = await installed('zsh');
  const shell = new Terminal(['zsh', '-f', '-i'], { columns: 120, env: { ...env, SLUICE_CLIENT_URL: broker.url } });
  shell.type(
    `fpath=('${directory}' $fpath); autoload -Uz compinit; compinit -u -d '${directory}/dump'; PS1='$ '; echo re''ady\r`,
  );
  await shell.shows(/^ready/m);
  shell.type('sluice queue sh\t');
  await shell.shows(/sluice queue show /);
  shell.type('ord\t');
  await shell.shows(/sluice queue show orders/);
});

test.skipIf(!HAS('fish'))('fish completes commands, options and names', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  const { script, directory, env } = await installed('fish');
  await mkdir(join(directory, '.config'));
  const ask = (line: string) => {
    const source = `source '${script}'; complete -C '${line}'`;
    const answer = spawnSync('fish', ['--no-config', '-c', source], {
      encoding: 'utf8',
      env: { ...process.env, ...env, SLUICE_CLIENT_URL: broker.url },
    });
    expect(answer.stderr).toBe('');
    return answer.stdout
      .split('\n')
      .filter((each) => each !== '')
      .map((each) => each.split('\t')[0]);
  };
  expect(ask('sluice sta')).toEqual(['start', 'status']);
  expect(ask('sluice queue create x --type ')).toEqual(['classic', 'quorum', 'stream']);
  expect(ask('sluice queue show ord')).toEqual(['orders']);
  expect(ask('sluice queue describe ord')).toEqual(['orders']);
  expect(ask('sluice queue pu')).toEqual(['publish', 'purge']);
});
