import { type Command, InvalidArgumentError } from 'commander';
import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import { type ApiClient, ApiError, type ApiOptions, api, withApi } from '../api/index.ts';
import { at, type Item } from '../listing.ts';
import { duration, plural, print, printJson, size } from '../output.ts';
import { pause } from '../pause.ts';
import { style } from '../terminal/style.ts';
import { facts, section } from './facts.ts';
import { rateText } from './rates.ts';

const ASK_AGAIN_MS = 200;

export function register(program: Command): void {
  api(program.command('status'), 'print as JSON')
    .description('show how the broker is: whether it is ready, alarms, listeners, totals, rates, memory, storage')
    .option('--wait <seconds>', 'wait so long until it is ready', seconds)
    .addHelpText(
      'after',
      `
Examples:
  sluice status
  sluice status --wait 30            in a script, after sluice start
  sluice status --json | jq .ready

Ends with exit code 1 when the broker is not ready: it cannot be reached, or takes nothing because memory or disk are full.
`,
    )
    .action(status);
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 86_400) return number;
  throw new InvalidArgumentError('Seconds are wanted, from 0 to 86400.');
}

interface Overview extends Item {
  readonly product_name: string;
  readonly product_version: string;
  readonly rabbitmq_version: string;
  readonly cluster_name: string;
  readonly object_totals: Readonly<Record<string, number>>;
  readonly queue_totals: Readonly<Record<string, number>>;
  readonly listeners?: readonly { readonly protocol: string; readonly ip_address: string; readonly port: number }[];
}

interface Node extends Item {
  readonly name: string;
  readonly uptime: number;
  readonly os_pid: string;
  readonly mem_used: number;
  readonly mem_limit: number;
  readonly disk_free?: number;
  readonly disk_free_limit?: number;
  readonly db_dir?: string;
}

interface Status {
  readonly ready: boolean;
  /** Why it is not: memory, disk, storage. */
  readonly reasons: readonly string[];
  readonly overview: Overview;
  /** Null for users who may not see it. */
  readonly node: Node | null;
}

async function status(options: ApiOptions & { readonly wait?: number }): Promise<void> {
  const { ready, reasons, overview, node } = await withApi(options, (client) =>
    options.wait === undefined ? statusOf(client) : awaitReady(client, options.wait),
  );
  if (!ready) process.exitCode = 1;
  if (options.json) return printJson({ ready, reasons, overview, node });
  const word = ready ? style('green', 'ready') : style('red', `not ready: ${reasons.join(', ')}`);
  await print(`${overview.product_name} ${overview.product_version} is ${word}`);
  await print(screen(overview, node));
}

/** A broker that starts is asked again until it is there. */
async function awaitReady(client: ApiClient, waitSeconds: number): Promise<Status> {
  const { clock } = realEnvironment();
  const until = clock.monotonic() + waitSeconds * 1000;
  for (;;) {
    const found = await statusOf(client).catch((error: unknown) => {
      if (error instanceof BrokerError && error.code === 'closed' && clock.monotonic() < until) return undefined;
      throw error;
    });
    if (found?.ready || (found !== undefined && clock.monotonic() >= until)) return found;
    await pause(ASK_AGAIN_MS);
  }
}

async function statusOf(client: ApiClient): Promise<Status> {
  const [probe, overview, nodes] = await Promise.all([
    client.probe('/readyz'),
    client.get<Overview>('/overview'),
    client.all<Node>('/nodes').catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'access-refused') return [];
      throw error;
    }),
  ]);
  const { reasons = [] } = (probe.body ?? {}) as { readonly reasons?: readonly string[] };
  return { ready: probe.status === 200, reasons, overview, node: nodes[0] ?? null };
}

function screen(overview: Overview, node: Node | null): string {
  const { listeners = [] } = overview;
  const lines = facts([
    ['node', node?.name],
    ['cluster', overview.cluster_name],
    ['uptime', node === null ? undefined : duration(node.uptime)],
    ['process', node?.os_pid],
    ['memory', node === null ? undefined : `${size(node.mem_used)} of ${size(node.mem_limit)} allowed`],
    ['disk', diskText(node)],
    ['data', node?.db_dir ?? (node === null ? undefined : 'in memory only')],
    ...totals(overview),
  ]);
  const rates = rateRows(overview);
  return [
    lines,
    section(
      'listeners',
      ['protocol', 'address', 'port'],
      listeners.map(({ protocol, ip_address, port }) => [protocol, ip_address, port]),
    ),
    section('messages per second', ['what', 'rate'], rates),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function diskText(node: Node | null): string | undefined {
  if (typeof node?.disk_free !== 'number') return undefined;
  return `${size(node.disk_free)} free, ${size(node.disk_free_limit ?? 0)} at least`;
}

function totals({ object_totals: objects, queue_totals: queues }: Overview): (readonly [string, string])[] {
  const of = (...nouns: readonly string[]) => nouns.map((noun) => plural(objects[`${noun}s`] ?? 0, noun)).join(', ');
  const { messages = 0, messages_ready: ready = 0, messages_unacknowledged: unacknowledged = 0 } = queues;
  return [
    ['clients', of('connection', 'channel', 'consumer')],
    ['there are', of('queue', 'exchange')],
    ['messages', `${messages}: ${ready} ready, ${unacknowledged} unacknowledged`],
  ];
}

const RATES: readonly (readonly [string, string])[] = [
  ['published', 'publish'],
  ['confirmed', 'confirm'],
  ['delivered', 'deliver_get'],
  ['acknowledged', 'ack'],
  ['redelivered', 'redeliver'],
  ['returned', 'return_unroutable'],
];

/** Those that the broker tells. */
function rateRows(overview: Overview): [string, string][] {
  return RATES.flatMap(([name, key]) => {
    const value = at(overview, `message_stats.${key}_details.rate`);
    return typeof value === 'number' ? [[name, rateText(value)] as [string, string]] : [];
  });
}
