import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type ApiOptions, api, withApi } from '../api/index.ts';
import { writeNamed } from '../named-file.ts';
import { print, size } from '../output.ts';

export function register(program: Command): void {
  api(program.command('support-bundle').argument('[file]', 'to write; named by the broker unless given'))
    .description('take what helps others to help: settings, definitions, logs, figures; no secrets')
    .option('--force', 'overwrite the file')
    .addHelpText('after', '\nExamples:\n  sluice support-bundle\n  sluice support-bundle broker-1.tar.gz\n')
    .action(supportBundle);
}

async function supportBundle(
  file: string | undefined,
  { force, ...options }: ApiOptions & { force?: true },
): Promise<void> {
  await withApi(options, async (client) => {
    const response = await client.download('/support-bundle');
    const [, name = 'sluice-support.tar.gz'] =
      /filename="([\w.-]+)"/.exec(response.headers['content-disposition'] ?? '') ?? [];
    const archive = await buffer(response);
    await writeNamed(file ?? name, archive, force === true);
    await print(`wrote ${file ?? name}: ${size(archive.length)}`);
  });
}
