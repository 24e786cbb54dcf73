import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import { BrokerError } from '../../errors.ts';
import { type ApiClient, type ApiOptions, api, exchangeInPath, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { linesIn } from '../lines.ts';
import { readNamed } from '../named-file.ts';
import { plural, print, printJson } from '../output.ts';
import { Progress } from '../terminal/progress.ts';
import { UsageError } from '../usage-error.ts';
import { type InHostOptions, inHost, type Values, values } from './options.ts';

export interface PublicationOptions extends InHostOptions {
  readonly file?: string;
  readonly lines?: true;
  readonly property?: Values;
  readonly header?: Values;
  readonly delay?: number;
  readonly transient?: true;
}

interface Place {
  readonly exchange: string;
  readonly routingKey: string;
}

/** Requests under way at a time. */
const TOGETHER = 8;
const PERSISTENT = 2;
const TRANSIENT = 1;

/** The options of what publishes. */
export function publishing(command: Command): Command {
  return inHost(api(command, 'print what came of it as JSON'))
    .option('--file <file>', 'the message is what is in this file; otherwise it is what comes on standard input')
    .option('--lines', 'each line of it is a message')
    .option('--property <name=value>', 'a property, as in content_type=text/plain; may be repeated', values)
    .option('--header <name=value>', 'a header; may be repeated', values)
    .option('--delay <ms>', 'an exchange of the type x-delayed-message passes it on after this time', whole(0))
    .option('--transient', 'it may be lost when the broker stops');
}

/** Publishes what the arguments say; ends with exit code 1 when no queue took it. */
export async function publishTo(place: Place, payload: string | undefined, options: PublicationOptions): Promise<void> {
  if (payload !== undefined && options.file !== undefined)
    throw new UsageError('the message stands on the command line or in --file, not in both');
  const chunks = payload === undefined ? input(options.file) : [Buffer.from(payload)];
  const { messages, routed } = await withApi(options, (client) =>
    options.lines ? publishLines(client, place, chunks, options) : publishOne(client, place, chunks, options),
  );
  if (options.json) await printJson({ messages, routed });
  else if (routed === messages) await print(`published ${plural(messages, 'message')}`);
  if (routed === messages) return;
  process.exitCode = 1;
  if (options.json) return;
  const why =
    place.exchange === ''
      ? `there is no queue '${place.routingKey}'; see: sluice queue list`
      : `no queue is bound with such a routing key; see: sluice exchange route ${place.exchange}`;
  throw new BrokerError('not-found', `${plural(messages - routed, 'message')} of ${messages} went nowhere: ${why}`);
}

interface Published {
  readonly messages: number;
  readonly routed: number;
}

type Chunks = AsyncIterable<Buffer> | Iterable<Buffer>;

async function* input(file: string | undefined): AsyncGenerator<Buffer, void, undefined> {
  if (file === undefined) return yield* process.stdin as AsyncIterable<Buffer>;
  yield await readNamed('--file', file);
}

async function publishOne(
  client: ApiClient,
  place: Place,
  chunks: Chunks,
  options: PublicationOptions,
): Promise<Published> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return { messages: 1, routed: await publish(client, place, Buffer.concat(parts), options) };
}

async function publishLines(
  client: ApiClient,
  place: Place,
  chunks: Chunks,
  options: PublicationOptions,
): Promise<Published> {
  const lines: Buffer[] = [];
  for await (const some of linesIn(asyncChunks(chunks))) lines.push(...some);
  const progress = new Progress({ doing: 'publishing', total: lines.length });
  let routed = 0;
  try {
    for (let at = 0; at < lines.length; at += TOGETHER) {
      const some = lines.slice(at, at + TOGETHER);
      const taken = await Promise.all(some.map((line) => publish(client, place, line, options)));
      routed += taken.reduce((sum, count) => sum + count, 0);
      progress.add(some.length);
    }
  } finally {
    progress.end();
  }
  return { messages: lines.length, routed };
}

async function* asyncChunks(chunks: Chunks): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks;
}

/** Answers 1 when some queue took it, else 0. */
async function publish(
  client: ApiClient,
  { exchange, routingKey }: Place,
  bytes: Buffer,
  { vhost, property, header, delay, transient }: PublicationOptions & ApiOptions,
): Promise<number> {
  const headers = { ...header, ...(delay !== undefined && { 'x-delay': delay }) };
  const isText = isUtf8(bytes);
  const { body } = await client.post(
    path`/exchanges/${vhost}/${exchangeInPath(exchange)}/publish`,
    {
      routing_key: routingKey,
      properties: {
        delivery_mode: transient ? TRANSIENT : PERSISTENT,
        ...property,
        ...(Object.keys(headers).length > 0 && { headers }),
      },
      payload: bytes.toString(isText ? 'utf8' : 'base64'),
      payload_encoding: isText ? 'string' : 'base64',
    },
    { subject: `exchange '${exchange}'` },
  );
  return (body as { readonly routed: boolean }).routed ? 1 : 0;
}
