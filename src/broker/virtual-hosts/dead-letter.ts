import {
  array,
  changeProperties,
  decodeProperties,
  type Field,
  type FieldTable,
  long,
  longString,
  MessageBytes,
  stringOf,
  table,
  timestamp,
} from '../messages/index.ts';
import type { DeadLetterReason } from '../queues/queue-options.ts';
import { CC } from './message-routing.ts';

/*
 * What a message carries that left a queue without being acknowledged: where, why and how often, in headers that clients of
 * RabbitMQ look at (https://www.rabbitmq.com/docs/dlx#effects).
 *
 *   x-death                      array of tables, the latest first; one for each queue and reason, with the count of both
 *   x-first-death-exchange,      of the first time, and
 *   -queue, -reason              of the last one under x-last-death-
 */

/** How a message dies. */
export interface Death {
  readonly queue: string;
  readonly reason: DeadLetterReason;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The dead-letter exchange. */
  readonly exchange: string;
  /** Replaces the message's own routing keys. */
  readonly routingKey: string | undefined;
}

/** A message on its way from a queue to its dead-letter exchange. */
export interface DeadLetter {
  readonly message: MessageBytes;
  /** The first is the one in its address. */
  readonly routingKeys: readonly string[];
  /** Its deaths, this one first. */
  readonly deaths: readonly Field[];
}

const DEATHS = 'x-death';

/** The message as it is published to the dead-letter exchange. It will not expire again. */
export function deadLetterOf(message: MessageBytes, death: Death): DeadLetter {
  const { properties, propertiesStart, propertiesEnd, body, bodyStart, bodyEnd } = message;
  const { headers, expiration } = decodeProperties(properties, propertiesStart, propertiesEnd);
  const changed = new Map(headers ?? []);
  const ownKeys = [message.routingKey, ...keysOf(changed.get(CC))];
  const deaths = deathsWith(changed.get(DEATHS), newDeath(message.exchange, ownKeys, expiration, death));
  if (!changed.has(DEATHS)) setDeath(changed, 'first', message.exchange, death);
  setDeath(changed, 'last', message.exchange, death);
  changed.set(DEATHS, array(deaths));
  // The copies were for the keys that are replaced.
  if (death.routingKey !== undefined) changed.delete(CC);
  const changes = { headers: changed, expiration: undefined };
  const routingKeys = death.routingKey === undefined ? ownKeys : [death.routingKey];
  const letter = MessageBytes.of(
    death.exchange,
    routingKeys[0] ?? '',
    changeProperties(properties, propertiesStart, propertiesEnd, changes),
    body,
  );
  letter.bodyStart = bodyStart;
  letter.bodyEnd = bodyEnd;
  return { message: letter, routingKeys, deaths };
}

/**
 * Whether the message would come back to a queue that it died in before, with nobody having rejected it since: it would go round
 * for ever, and is dropped instead.
 */
export function isCycle(queue: string, deaths: readonly Field[]): boolean {
  for (const death of deaths) {
    // Something else in there was put there by a client.
    if (death.type !== 'F' || stringOf(death.value.get('reason')) === 'rejected') return false;
    if (stringOf(death.value.get('queue')) === queue) return true;
  }
  return false;
}

function newDeath(exchange: string, keys: readonly string[], expiration: string | undefined, death: Death): FieldTable {
  const entry = new Map<string, Field>([
    ['count', long(1)],
    ['exchange', longString(exchange)],
    ['queue', longString(death.queue)],
    ['reason', longString(death.reason)],
    ['routing-keys', array(keys.map(longString))],
    ['time', timestamp(Math.floor(death.now / 1000))],
  ]);
  if (expiration !== undefined) entry.set('original-expiration', longString(expiration));
  return entry;
}

/** Deaths in the same queue for the same reason are one, with their count; the latest comes first. */
function deathsWith(before: Field | undefined, latest: FieldTable): readonly Field[] {
  // Anything but an array was made of it by a client that does not know better: it begins anew.
  const others: Field[] = before?.type === 'A' ? [...before.value] : [];
  const at = others.findIndex((death) => death.type === 'F' && isSame(death.value, latest));
  if (at < 0) return [table(latest), ...others];
  const [same] = others.splice(at, 1);
  if (same?.type !== 'F') return [table(latest), ...others];
  const count = same.value.get('count');
  const next = count?.type === 'l' ? BigInt(count.value) + 1n : BigInt(Number(count?.value ?? 0)) + 1n;
  return [table(new Map([...same.value, ['count', long(Number(next))]])), ...others];
}

function isSame(one: FieldTable, other: FieldTable): boolean {
  return ['queue', 'reason'].every((name) => stringOf(one.get(name)) === stringOf(other.get(name)));
}

function setDeath(headers: Map<string, Field>, which: 'first' | 'last', exchange: string, death: Death): void {
  headers.set(`x-${which}-death-exchange`, longString(exchange));
  headers.set(`x-${which}-death-queue`, longString(death.queue));
  headers.set(`x-${which}-death-reason`, longString(death.reason));
}

function keysOf(field: Field | undefined): string[] {
  if (field?.type !== 'A') return [];
  return field.value.map(stringOf).filter((key) => key !== undefined);
}
