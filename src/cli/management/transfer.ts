import { type Command, InvalidArgumentError } from 'commander';
import { BrokerError } from '../../errors.ts';
import type { ShownTransfer } from '../../protocols/http/shapes/queue-messages.ts';
import { type ApiClient, path } from '../api/index.ts';
import { several, whole } from '../arguments.ts';
import { plural, print, printJson } from '../output.ts';
import { pause } from '../pause.ts';
import { Progress } from '../terminal/progress.ts';
import { UsageError } from '../usage-error.ts';
import { filterBody, type MessageFilterOptions, messageFilter } from './message-filter.ts';
import type { InHostOptions } from './options.ts';

export interface TransferOptions extends InHostOptions, MessageFilterOptions {
  readonly id?: readonly string[];
  readonly count?: number;
  readonly rate?: number;
  readonly dryRun?: true;
}

const ASK_AGAIN_MS = 200;

/** The options of what moves messages, other than where to. */
export function transferring(command: Command, deaths = false): Command {
  return messageFilter(command, deaths)
    .option('--id <id>', 'this message only; may be repeated', several)
    .option('--count <n>', 'no more than so many', whole(1))
    .option('--rate <n>', 'no more than so many a second', perSecond)
    .option('--dry-run', 'only say what would be done');
}

function perSecond(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0.1 && number <= 1_000_000) return number;
  throw new InvalidArgumentError('A number from 0.1 to 1000000 is wanted.');
}

/** What is asked for, as its body says it. */
export function transferBody(to: unknown, options: TransferOptions): object {
  const { id: ids, count, rate, dryRun } = options;
  const filter = filterBody(options);
  if (ids !== undefined && filter !== undefined) throw new UsageError('name messages by --id, or say which, not both');
  return {
    ...(to !== undefined && { to }),
    ...(ids && { ids }),
    ...(filter && { filter }),
    ...(count !== undefined && { count }),
    ...(rate !== undefined && { rate }),
    dry_run: dryRun === true,
  };
}

/** Begins it, follows it to its end with a bar, and says how it went. Ctrl-C stops it. */
export async function transfer(
  client: ApiClient,
  target: string,
  body: object,
  options: TransferOptions,
  subject: string,
): Promise<void> {
  const begun = (await client.post(target, body, { subject })).body as ShownTransfer;
  const ended = await follow(client, begun);
  if (ended.state !== 'done') process.exitCode = 1;
  if (options.json) return printJson(ended);
  await print(summary(ended));
  if (ended.state === 'failed') throw new BrokerError('internal', `it failed: ${ended.error}`);
}

async function follow(client: ApiClient, begun: ShownTransfer): Promise<ShownTransfer> {
  const one = path`/transfers/${begun.id}`;
  const progress = new Progress({
    doing: begun.kind === 'redrive' ? 'bringing back' : 'moving',
    total: begun.total ?? 0,
  });
  let stopping: Promise<unknown> | undefined;
  const stop = () => {
    stopping ??= client.delete(one);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  let now = begun;
  try {
    while (now.state === 'running') {
      await pause(ASK_AGAIN_MS);
      await stopping;
      const next = await client.get<ShownTransfer>(one);
      progress.add(next.looked_at - now.looked_at);
      now = next;
    }
    return now;
  } finally {
    progress.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function summary({
  dry_run: dryRun,
  state,
  matched,
  moved,
  copied,
  skipped,
  targets,
  other_targets: others,
}: ShownTransfer): string {
  const skips = Object.entries(skipped).map(([why, count]) => `${count} ${why}`);
  const places = Object.entries(targets).map(([queue, count]) => `  ${queue}: ${count}`);
  return [
    dryRun
      ? `would move ${plural(matched, 'message')}`
      : `moved ${plural(moved, 'message')}${state === 'stopped' ? ', then was stopped' : ''}`,
    ...(copied > 0 ? [`  of these ${copied} were delivered from where they were as well`] : []),
    ...places,
    ...(others > 0 ? [`  and to ${others} other queues`] : []),
    ...(skips.length > 0 ? [`skipped: ${skips.join(', ')}`] : []),
  ].join('\n');
}
