import { type Command, InvalidArgumentError } from 'commander';
import type { ApiOptions } from '../api/index.ts';

export interface InHostOptions extends ApiOptions {
  readonly vhost: string;
}

export interface DeletingOptions extends InHostOptions {
  readonly yes?: true;
}

/** `--vhost`, for what is in one. */
export function inHost(command: Command): Command {
  return command.option('--vhost <name>', 'the virtual host that it is in', '/');
}

/** `--vhost`, for lists of all of them unless one is named. */
export function ofHost(command: Command): Command {
  return command.option('--vhost <name>', 'only of this virtual host');
}

export function deleting(command: Command): Command {
  return command.option('--yes', 'do not ask');
}

export type Values = Readonly<Record<string, unknown>>;

/** Gathers `name=value` of an option that may be given several times; numbers, true, false and JSON are what they look like. */
export function values(text: string, before: Values = {}): Values {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('NAME=VALUE is wanted.');
  return { ...before, [text.slice(0, at)]: typed(text.slice(at + 1)) };
}

function typed(text: string): unknown {
  if (!/^(-?\d|true$|false$|[[{"])/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A JSON object. */
export function jsonObject(text: string): Values {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError('A JSON object is wanted, as in \'{"max-length":1000}\'.');
}
