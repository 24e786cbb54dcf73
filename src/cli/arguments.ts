import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Position } from '../client/index.ts';
import { loginOptions } from './login.ts';

/** A whole number from `min` on, for an option's argument. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER
        ? `A whole number from ${min} on is wanted.`
        : `A whole number from ${min} to ${max} is wanted.`,
    );
  };
}

/** Gathers `name=value` of an option that may be given several times. */
export function pairs(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('NAME=VALUE is wanted.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Gathers the values of an option that may be given several times. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** What `--from` takes: earliest, latest, an offset, -N for the last N, or a time. */
export function position(text: string): Position {
  if (text === 'earliest' || text === 'latest') return { kind: text };
  if (/^\d+$/.test(text)) return { kind: 'offset', offset: whole(0)(text) };
  if (/^-\d+$/.test(text)) return { kind: 'last', count: -whole(Number.MIN_SAFE_INTEGER)(text) };
  const timestamp = timeIn(text);
  if (timestamp === undefined) {
    throw new InvalidArgumentError(
      'earliest, latest, an offset, -N for the last N records, or a time as in 2026-01-31T12:00:00Z is wanted.',
    );
  }
  return { kind: 'time', timestamp };
}

/** A time as ISO 8601 writes it; milliseconds since the epoch. */
export function time(text: string): number {
  const timestamp = timeIn(text);
  if (timestamp === undefined) throw new InvalidArgumentError('A time as in 2026-01-31T12:00:00Z is wanted.');
  return timestamp;
}

function timeIn(text: string): number | undefined {
  const timestamp = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timestamp) ? undefined : timestamp;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_BROKER = 'localhost:9092';
const BROKER_VARIABLE = 'SLUICE_CLIENT_BROKER';

/** `--broker` and `--json`, which all commands against a running broker have, and how to log in to it. */
export function remote(command: Command, what: string): Command {
  command
    .addOption(
      new Option('--broker <host:port>', 'the broker to talk to')
        .argParser(address)
        .env(BROKER_VARIABLE)
        .default(address(DEFAULT_BROKER), DEFAULT_BROKER),
    )
    .option('--json', what);
  for (const option of loginOptions()) command.addOption(option.helpGroup('Options for brokers with TLS or logins:'));
  return command;
}

export function address(text: string): Address {
  const [, ipv6, name, port] = /^(?:[a-z]+:\/\/)?(?:\[([0-9a-f:.]+)\]|([^\s:/]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host !== undefined && Number(port) <= 65535) return { host, port: Number(port) };
  throw new InvalidArgumentError('HOST:PORT is wanted, as in localhost:9092.');
}
