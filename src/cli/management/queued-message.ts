import type { QueuedMessage } from '../../protocols/http/shapes/queue-messages.ts';
import type { Payload } from '../../protocols/http/shapes/streams.ts';
import type { ApiClient, Query } from '../api/index.ts';
import type { Cell } from '../output.ts';
import { printable } from '../terminal/text-width.ts';
import { messageFacts } from './messages.ts';

const PAGE = 500;

interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next one. */
  readonly next: string | null;
}

/** The first so many items of what comes by pages with a cursor. */
export async function firstItems<Item>(
  client: ApiClient,
  path: string,
  query: Query,
  count: number,
  subject: string,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(PAGE, count - items.length);
    const page: Page<Item> = await client.get<Page<Item>>(path, { query: { ...query, limit, cursor }, subject });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && items.length < count);
  return items;
}

type Shown = Pick<QueuedMessage, 'id' | 'published_at' | 'exchange' | 'routing_key' | 'properties' | 'payload'>;

/** A message with its facts, and its body as far as it is told. */
export function showQueued(message: Shown, more: readonly (readonly [string, Cell])[] = []): string {
  const { id, published_at, payload, ...others } = message;
  const facts = messageFacts(
    {
      ...others,
      payload_bytes: payload?.bytes ?? 0,
      payload: payload?.data ?? '',
      payload_encoding: payload?.format === 'binary' ? 'base64' : 'string',
    },
    [['id', id], ['came', timeText(published_at)], ...more],
  );
  return payload === null ? facts : `${facts}\n${bodyOf(payload)}`;
}

/** As ISO 8601 writes it. */
export function timeText(milliseconds: number | null | undefined): string {
  return milliseconds === null || milliseconds === undefined ? '-' : new Date(milliseconds).toISOString();
}

/** In one line, for tables. */
export function bodyLine(payload: Payload | null, length = 40): string {
  const line = (payload?.data ?? '').replaceAll(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length)}…` : line || '-';
}

function bodyOf({ data, truncated }: Payload): string {
  const lines = data.split('\n').map((line) => `  ${printable(line)}`);
  return [...lines, ...(truncated ? ['  …'] : [])].join('\n');
}
