import { type Command, Option } from 'commander';
import { time } from '../arguments.ts';

/** Which messages are meant. */
export interface MessageFilterOptions {
  readonly text?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly header?: string;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly after?: number;
  readonly before?: number;
  readonly reason?: string;
  readonly source?: string;
}

/** `deaths` adds what dead letters alone can be chosen by. */
export function messageFilter(command: Command, deaths = false): Command {
  const group = 'Which messages:';
  const options = [
    new Option('--text <part>', 'that have this in their bodies'),
    new Option('--exchange <name>', 'that were published to this exchange'),
    new Option('--routing-key <key>', 'that have this routing key'),
    new Option('--header <name[=value]>', 'that have this header'),
    new Option('--message-id <id>', 'that have this message-id'),
    new Option('--correlation-id <id>', 'that have this correlation-id'),
    new Option('--after <time>', 'that came after it, as in 2026-01-31T12:00:00Z').argParser(time),
    new Option('--before <time>', 'that came before it').argParser(time),
    ...(deaths
      ? [
          new Option('--reason <word>', 'that died of it: rejected, expired, maxlen, delivery_limit'),
          new Option('--source <queue>', 'that died there'),
        ]
      : []),
  ];
  for (const option of options) command.addOption(option.helpGroup(group));
  return command;
}

/** As a query says it. */
export function filterQuery(options: MessageFilterOptions) {
  return {
    text: options.text,
    exchange: options.exchange,
    routing_key: options.routingKey,
    header: options.header,
    message_id: options.messageId,
    correlation_id: options.correlationId,
    after: options.after,
    before: options.before,
    reason: options.reason,
    source: options.source,
  };
}

/** As a body says it; undefined when every message is meant. */
export function filterBody(options: MessageFilterOptions): object | undefined {
  const { header, ...others } = filterQuery(options);
  const given = Object.entries(others).filter(([, value]) => value !== undefined);
  if (header === undefined) return given.length === 0 ? undefined : Object.fromEntries(given);
  const at = header.indexOf('=');
  const named = at < 0 ? { name: header } : { name: header.slice(0, at), value: header.slice(at + 1) };
  return { ...Object.fromEntries(given), header: named };
}
