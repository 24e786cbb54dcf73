import { type Command, Option } from 'commander';
import type { QueuedMessage } from '../../protocols/http/shapes/queue-messages.ts';
import { api, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { print, printJson, write } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { filterQuery, type MessageFilterOptions, messageFilter } from './message-filter.ts';
import { type ShownMessage, showMessage } from './messages.ts';
import { deleting, type InHostOptions, inHost } from './options.ts';
import { type PublicationOptions, publishing, publishTo } from './publication.ts';
import { queuePath, queueSubject } from './queue-path.ts';
import { firstItems, showQueued } from './queued-message.ts';
import { type TransferOptions, transfer, transferBody, transferring } from './transfer.ts';

/** What is done with messages of a queue. */
export function registerMessages(queue: Command): void {
  inHost(api(queue.command('get').argument('<name>', 'of the queue'), 'print as JSON'))
    .description('get messages of a queue; they are put back unless you say otherwise')
    .option('--count <n>', 'no more than so many', whole(1, 10_000), 1)
    .addOption(new Option('--ack', 'take them: they are gone').conflicts('reject'))
    .option('--reject', 'reject them: they go where dead letters of the queue go')
    .addOption(new Option('--raw', 'print the bodies only, as they are').conflicts('json'))
    .addHelpText(
      'after',
      `
Examples:
  sluice queue get orders --count 5
  sluice queue get orders --ack --raw > message.bin
  sluice queue get jobs --count 100 --reject

What is put back counts as redelivered.
`,
    )
    .action(getMessages);

  messageFilter(inHost(api(queue.command('peek').argument('<name>', 'of the queue'), 'print as JSON')))
    .description('look at messages as they lie in a queue, or in a stream: nothing is delivered')
    .option('--count <n>', 'no more than so many', whole(1, 100_000), 10)
    .addOption(
      new Option('--state <state>', 'only those that wait, or those that are out').choices(['ready', 'unacknowledged']),
    )
    .addHelpText(
      'after',
      `
Examples:
  sluice queue peek orders
  sluice queue peek orders --state unacknowledged --json
  sluice queue peek orders --header tenant=7 --text refund --count 100
`,
    )
    .action(peek);

  deleting(
    transferring(
      inHost(
        api(
          queue.command('move').argument('<name>', 'of the queue').argument('<target>', 'the queue that they go to'),
          'print how it went as JSON',
        ),
      ),
    ),
  )
    .description('move messages that wait to another queue, or to an exchange')
    .option('--to-exchange', 'the target is an exchange')
    .option('--new-routing-key <key>', 'with this routing key instead of their own')
    .addHelpText(
      'after',
      `
Examples:
  sluice queue move orders orders.parked
  sluice queue move orders events --to-exchange --count 100 --rate 10
  sluice queue move orders orders.parked --header tenant=7 --dry-run

Ctrl-C stops it: what was moved stays where it is then.
`,
    )
    .action(move);

  publishing(queue.command('publish').argument('<name>', 'of the queue').argument('[message]', 'its body'))
    .description('publish messages to a queue, through the default exchange')
    .addHelpText(
      'after',
      `
Examples:
  sluice queue publish orders 'hello'
  sluice queue publish orders --file order.json --property content_type=application/json --header tenant=7
  seq 1000 | sluice queue publish orders --lines
`,
    )
    .action((name: string, payload: string | undefined, options: PublicationOptions) =>
      publishTo({ exchange: '', routingKey: name }, payload, options),
    );
}

interface GetOptions extends InHostOptions {
  readonly count: number;
  readonly ack?: true;
  readonly reject?: true;
  readonly raw?: true;
}

async function getMessages(name: string, options: GetOptions): Promise<void> {
  const { count, ack, reject, raw } = options;
  const ackmode = ack ? 'ack_requeue_false' : reject ? 'reject_requeue_false' : 'ack_requeue_true';
  const request = { ackmode, count, encoding: raw ? 'base64' : 'auto' };
  const { body } = await withApi(options, (client) =>
    client.post(`${queuePath(options, name)}/get`, request, { subject: queueSubject(options, name) }),
  );
  const messages = body as readonly ShownMessage[];
  if (options.json) return printJson(messages);
  if (raw) return write(Buffer.concat(messages.map(({ payload }) => Buffer.from(payload, 'base64'))));
  if (messages.length === 0) return print('no messages');
  await print(messages.map(showMessage).join('\n\n'));
}

interface PeekOptions extends InHostOptions, MessageFilterOptions {
  readonly count: number;
  readonly state?: string;
}

async function peek(name: string, options: PeekOptions): Promise<void> {
  const query = { ...filterQuery(options), state: options.state };
  const messages = await withApi(options, (client) =>
    firstItems<QueuedMessage>(
      client,
      `${queuePath(options, name)}/messages`,
      query,
      options.count,
      queueSubject(options, name),
    ),
  );
  if (options.json) return printJson(messages);
  if (messages.length === 0) return print('no such messages');
  await print(messages.map(queuedText).join('\n\n'));
}

function queuedText(message: QueuedMessage): string {
  const { state, holder, delivery_count: deliveries } = message;
  const out =
    holder === null
      ? state
      : `${state}: ${holder.connection} channel ${holder.channel}, ${holder.consumer_tag ?? 'got'}`;
  return showQueued(message, [['state', out], ...(deliveries > 0 ? [['deliveries', deliveries] as const] : [])]);
}

interface MoveOptions extends TransferOptions {
  readonly toExchange?: true;
  readonly newRoutingKey?: string;
  readonly yes?: true;
}

async function move(name: string, target: string, options: MoveOptions): Promise<void> {
  const { toExchange, newRoutingKey: key, dryRun, yes } = options;
  if (key !== undefined && !toExchange) throw new UsageError('--new-routing-key is for --to-exchange');
  const to = toExchange ? { exchange: target, ...(key !== undefined && { routing_key: key }) } : { queue: target };
  const body = transferBody(to, options);
  if (!dryRun && !(await agreed(`move messages of ${name} to ${target}?`, yes))) return print('nothing was moved');
  await withApi(options, (client) =>
    transfer(client, `${queuePath(options, name)}/move`, body, options, queueSubject(options, name)),
  );
}
