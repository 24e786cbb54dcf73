import { type Command, Option } from 'commander';
import { api, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { print, printJson, write } from '../output.ts';
import { type ShownMessage, showMessage } from './messages.ts';
import { type InHostOptions, inHost } from './options.ts';
import { type PublicationOptions, publishing, publishTo } from './publication.ts';
import { queuePath, queueSubject } from './queue.ts';

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
