import { type Command, InvalidArgumentError, Option } from 'commander';
import type {
  Trace,
  TraceActor,
  TracePlace,
  TraceSearch,
  TraceSettingsState,
  TraceStep,
  TraceSummary,
} from '../../protocols/http/shapes/traces.ts';
import { type ApiOptions, api, path, withApi } from '../api/index.ts';
import { several, time, whole } from '../arguments.ts';
import { cell } from '../listing.ts';
import { duration, print, printJson, size, table } from '../output.ts';
import { exchangeName } from './exchange.ts';
import { facts } from './facts.ts';
import { timeText } from './queued-message.ts';

const PAGE = 200;

export function register(program: Command): void {
  const trace = program.command('trace').description('find a message, and see its way in time');

  api(trace.command('find'), 'print as JSON')
    .description('find messages; the latest first')
    .option('--message-id <id>', 'by its message-id')
    .option('--key <key>', 'by its Kafka key or its routing key')
    .option('--destination <name>', 'that came to this queue, stream or exchange')
    .option('--vhost <name>', 'in this virtual host')
    .option('--from <time>', 'not before, as in 2026-01-31T12:00:00Z', time)
    .option('--to <time>', 'not after', time)
    .option('--count <n>', 'no more than so many', whole(1, 100_000), 50)
    .addHelpText(
      'after',
      `
Examples:
  sluice trace settings --mode all
  sluice trace find --destination orders
  sluice trace find --message-id 4711 --json | jq -r '.[0].trace' | xargs sluice trace show

Only messages that were traced are found; records of streams are found by --destination in any case.
`,
    )
    .action(find);

  api(trace.command('show').argument('<trace>', 'as sluice trace find has it'), 'print as JSON')
    .description('show the way of one message: who did what with it, and when')
    .addHelpText('after', '\nExamples:\n  sluice trace show TRACE\n')
    .action(show);

  api(trace.command('settings'), 'print as JSON')
    .description('show which messages are traced, or change that')
    .addOption(new Option('--mode <mode>', 'none, a share, or all').choices(['off', 'sampled', 'all']))
    .option('--sample-share <share>', 'which share, from 0 to 1', share)
    .option('--of-vhost <name>', 'only of virtual hosts so named, with * for anything; may be repeated', several)
    .option(
      '--of-destination <name>',
      'only of queues, streams and exchanges so named, with *; may be repeated',
      several,
    )
    .option('--id-header <name>', 'the header that names a message which has no message-id')
    .option('--retention-ms <ms>', 'how long traces are kept', whole(1))
    .option('--retention-bytes <n>', 'how many bytes of traces are kept', whole(1))
    .option('--reset', "what the broker's configuration says counts again")
    .addHelpText(
      'after',
      '\nExamples:\n  sluice trace settings\n  sluice trace settings --mode sampled --sample-share 0.01\n  sluice trace settings --mode all --of-destination "orders*"\n  sluice trace settings --reset\n',
    )
    .action(settings);
}

function share(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('A number from 0 to 1 is wanted.');
}

interface FindOptions extends ApiOptions {
  readonly messageId?: string;
  readonly key?: string;
  readonly destination?: string;
  readonly vhost?: string;
  readonly from?: number;
  readonly to?: number;
  readonly count: number;
}

async function find(options: FindOptions): Promise<void> {
  const { messageId: message_id, key, destination, vhost, from, to, count } = options;
  const { traces, mode, dropped } = await withApi(options, async (client) => {
    const found: TraceSummary[] = [];
    let answer: TraceSearch;
    let cursor: string | undefined;
    let missing = 0;
    do {
      const query = {
        message_id,
        key,
        destination,
        vhost,
        from,
        to,
        cursor,
        count: Math.min(PAGE, count - found.length),
      };
      answer = await client.get<TraceSearch>('/traces', { query });
      found.push(...answer.traces);
      missing += answer.dropped;
      cursor = answer.cursor;
    } while (cursor !== undefined && found.length < count);
    return { traces: found.slice(0, count), mode: answer.mode, dropped: missing };
  });
  if (options.json) return printJson(traces);
  if (traces.length === 0)
    return print(
      mode === 'off' ? 'nothing found: tracing is off; turn it on: sluice trace settings --mode all' : 'nothing found',
    );
  await print(
    table(
      ['time', 'message', 'key', 'exchange', 'to', 'outcome', 'by', 'trace'],
      traces.map((each) => [
        timeText(each.time),
        cell(each.message_id),
        cell(each.key),
        cell(each.exchange),
        cell(each.places.map(placeText)),
        cell(each.outcome),
        actorText(each.by),
        each.trace,
      ]),
    ),
  );
  if (dropped > 0) await print(`${dropped} events are missing: tracing did not keep up`);
}

function placeText({ name, partition, offset }: TracePlace): string {
  return `${name}${partition === undefined ? '' : `-${partition}`}@${offset}`;
}

function actorText(actor: TraceActor | undefined): string {
  if (actor === undefined) return '-';
  return [actor.user, actor.client ?? actor.connection, actor.protocol].filter((part) => part !== undefined).join(' ');
}

async function show(id: string, options: ApiOptions): Promise<void> {
  const trace = await withApi(options, (client) =>
    client.get<Trace>(path`/traces/${id}`, { subject: `trace ${id}: it may be older than what is kept` }),
  );
  if (options.json) return printJson(trace);
  await print(
    facts([
      ['trace', trace.trace],
      ['message', cell(trace.message_id)],
      ['key', cell(trace.key)],
      ['traceparent', cell(trace.traceparent)],
      ['bytes', cell(trace.bytes)],
      ['all known', trace.complete ? undefined : `no: ${trace.dropped} events are missing, or there is more`],
    ]),
  );
  if (trace.events.length === 0) return print('\nnothing of its way was recorded');
  const began = trace.events[0]?.time ?? 0;
  await print('');
  await print(
    table(
      ['time', 'after ms', 'what', 'where', 'by', 'details'],
      trace.events.map((step) => [
        timeText(step.time),
        step.time - began,
        step.type,
        whereOf(step),
        actorText(step.by),
        detailsOf(step),
      ]),
    ),
  );
}

function whereOf({ place, exchange }: TraceStep): string {
  if (place !== undefined) return placeText(place);
  return exchange === undefined ? '-' : exchangeName(exchange);
}

/** What a step tells besides. */
function detailsOf({
  time: _,
  type: __,
  place: ___,
  by: ____,
  exchange: _____,
  from,
  due_at: dueAt,
  ...others
}: TraceStep): string {
  const told = Object.entries(others).filter(([, value]) => value !== '' && value !== false);
  const parts = told.map(([name, value]) => `${name.replaceAll('_', ' ')} ${cell(value)}`);
  if (from !== undefined) parts.push(`from ${placeText(from)}`);
  if (dueAt !== undefined) parts.push(`due ${timeText(dueAt)}`);
  return parts.join(', ') || '-';
}

interface SettingsOptions extends ApiOptions {
  readonly mode?: string;
  readonly sampleShare?: number;
  readonly ofVhost?: readonly string[];
  readonly ofDestination?: readonly string[];
  readonly idHeader?: string;
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
  readonly reset?: true;
}

async function settings(options: SettingsOptions): Promise<void> {
  const given = {
    mode: options.mode,
    sample_share: options.sampleShare,
    virtual_hosts: options.ofVhost,
    destinations: options.ofDestination,
    id_header: options.idHeader,
    retention_ms: options.retentionMs,
    retention_bytes: options.retentionBytes,
  };
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const state = await withApi(options, async (client) => {
    if (options.reset) await client.delete('/traces/settings');
    if (Object.keys(changes).length > 0) await client.put('/traces/settings', changes);
    return client.get<TraceSettingsState>('/traces/settings');
  });
  if (options.json) return printJson(state);
  const { recorded } = state;
  await print(
    facts([
      ['mode', state.mode === 'sampled' ? `sampled: ${state.sample_share * 100} %` : state.mode],
      ['of virtual hosts', cell(state.virtual_hosts)],
      ['of destinations', cell(state.destinations)],
      ['id header', state.id_header],
      ['kept for', duration(state.retention_ms)],
      ['kept at most', size(state.retention_bytes)],
      ['set by', state.overridden ? 'somebody, while the broker runs' : 'its configuration'],
      ['recorded', `${recorded.events} events, ${recorded.dropped} dropped, ${size(recorded.bytes)} kept`],
    ]),
  );
}
