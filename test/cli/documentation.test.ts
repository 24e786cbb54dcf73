import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withTable } from '../../scripts/cli-page.ts';
import { wholeProgram } from '../../src/cli/main.ts';
import { SUMMARIES } from '../../src/cli/summaries.ts';
import { ManagedBroker } from './managed-broker.ts';
import { temporaryDirectory } from './sluice.ts';

const PAGE = fileURLToPath(new URL('../../docs/cli.md', import.meta.url));
/** There are some eighty of them, each a process. */
const EXAMPLES_MS = 600_000;
const BIN = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

test('the page has every command; npm run docs makes it so', async () => {
  const page = await readFile(PAGE, 'utf8');
  expect(await withTable(page)).toBe(page);
});

test('sluice --help says of each command what the command says itself', async () => {
  const program = await wholeProgram();
  const described = program.commands.map((command) => [command.name(), command.description()]);
  expect(Object.entries(SUMMARIES)).toEqual(described);
});

test(
  'every example of the page works',
  async () => {
    const page = await readFile(PAGE, 'utf8');
    const examples = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text ?? '');
    expect(examples.length).toBeGreaterThan(5);
    const broker = await ManagedBroker.start();
    const directory = await temporaryDirectory();
    const command = join(directory, 'sluice');
    await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    await chmod(command, 0o755);
    // Said before it is run: what fails is the last one.
    const script = `set -e -o pipefail -v\n${examples.join('\n')}`;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
    const shell = spawn('bash', ['-s'], {
      cwd: directory,
      env: {
        ...Object.fromEntries(inherited),
        PATH: `${directory}:${process.env['PATH']}`,
        ...{ SLUICE_CLIENT_URL: broker.url, SLUICE_CLIENT_BROKER: broker.kafka },
      },
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    shell.stdin.end(script);
    const [status] = await once(shell, 'close');
    expect(status, output).toBe(0);
  },
  EXAMPLES_MS,
);
