import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startStreams } from './streams-fixture.ts';

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The examples of a section, without those that have no end. */
async function examples(section: string): Promise<string[]> {
  const page = await readFile(new URL('../../docs/protocols/http.md', import.meta.url), 'utf8');
  const text = page.slice(page.indexOf(`## ${section}\n`));
  const part = text.slice(0, text.indexOf('\n## ', 1));
  return Array.from(part.matchAll(/^```sh\n(.*?)^```/gms), ([, script = '']) =>
    script.replaceAll(/^curl -N .*\n/gm, ''),
  );
}

test.skipIf(!hasCurl)('the examples of producing and consuming do what the page says', async () => {
  const { url, ask } = await startStreams();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'picture.png'), Buffer.of(0x89, 0x50, 0xff));
  const scripts = await examples('Produce and consume');
  expect(scripts.length).toBeGreaterThan(4);
  for (const script of scripts) {
    const here = script.replaceAll('http://localhost:15672', url).replaceAll('curl ', 'curl -sS --fail-with-body ');
    const answered = await run(here, directory);
    for (const [, said = ''] of script.matchAll(/^# (.*)$/gm)) {
      // Which partition a key goes to is not what it is about.
      const shape = said.replaceAll(/"partition":\d/g, '"partition":N');
      expect(answered.replaceAll(/"partition":\d/g, '"partition":N')).toContain(shape);
    }
  }
  expect((await ask('GET', '/api/streams/orders')).body).toMatchObject({ records: 4 });
  expect((await ask('GET', '/api/groups/billing')).body).toMatchObject({ lag: 0 });
  expect((await ask('GET', '/api/queues/%2F/jobs')).body).toMatchObject({ messages: 0 });
});

async function run(script: string, cwd: string): Promise<string> {
  const shell = spawn('sh', ['-e', '-c', script], { cwd });
  let [output, errors] = ['', ''];
  shell.stdout.on('data', (chunk) => {
    output += chunk;
  });
  shell.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => shell.once('close', resolve));
  expect(code, `${script}\n${output}\n${errors}`).toBe(0);
  return output;
}
