import { cell, type Item } from '../listing.ts';
import { type Cell, plural } from '../output.ts';
import { printable } from '../terminal/text-width.ts';
import { facts } from './facts.ts';

/** A message as the API shows it. */
export interface ShownMessage {
  readonly payload_bytes: number;
  readonly redelivered?: boolean;
  readonly exchange: string;
  readonly routing_key: string;
  readonly properties: Item;
  readonly payload: string;
  readonly payload_encoding: string;
}

/** Its facts, then its body. Bytes that are no text are shown as base64. */
export function showMessage(message: ShownMessage): string {
  return `${messageFacts(message)}\n${bodyText(message)}`;
}

export function messageFacts(message: ShownMessage, more: readonly (readonly [string, Cell])[] = []): string {
  const { headers, ...properties } = message.properties as { readonly headers?: Item };
  return facts([
    ...more,
    ['exchange', message.exchange === '' ? '(default)' : message.exchange],
    ['routing key', message.routing_key],
    ['redelivered', message.redelivered ? 'yes' : undefined],
    ...Object.entries(properties).map(([name, value]) => [name.replaceAll('_', ' '), cell(value)] as const),
    ...Object.entries(headers ?? {}).map(([name, value]) => [`header ${name}`, cell(value)] as const),
    ['body', `${plural(message.payload_bytes, 'byte')}${message.payload_encoding === 'base64' ? ', base64' : ''}`],
  ]);
}

function bodyText({ payload }: ShownMessage): string {
  return payload
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n');
}
