import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Peer } from './peers/peer.ts';

/** What every bench is told. */
export interface CommonOptions {
  readonly storage: 'disk' | 'memory';
  readonly flush: 'always' | 'interval' | 'os';
  readonly data?: string;
  readonly against?: 'kafka' | 'rabbitmq';
  readonly onlyAgainst?: boolean;
  readonly json?: boolean;
}

/** What every bench is told that puts load on the broker. Times are seconds. */
export interface LoadOptions extends CommonOptions {
  readonly seconds: number;
  readonly warmUp?: number;
  readonly rounds: number;
  readonly profile?: boolean;
}

const WARM_UP_SECONDS = 2;
/** Java's compilers take longer, and brokers that are compared get the same. */
const COMPARED_WARM_UP_SECONDS = 10;

export function warmUpSeconds({ warmUp, against }: Pick<LoadOptions, 'warmUp' | 'against'>): number {
  return warmUp ?? (against === undefined ? WARM_UP_SECONDS : COMPARED_WARM_UP_SECONDS);
}

/** `against`: the brokers that can be measured beside it. */
export function common(command: Command, against: readonly NonNullable<CommonOptions['against']>[]): Command {
  return command
    .addOption(
      new Option('--storage <kind>', 'where the broker keeps data').choices(['disk', 'memory']).default('disk'),
    )
    .addOption(
      new Option('--flush <when>', 'when data goes to the disk itself')
        .choices(['always', 'interval', 'os'])
        .default('always'),
    )
    .option('--data <directory>', 'where to make data directories, which are removed afterwards')
    .addOption(new Option('--against <broker>', 'measure another broker beside it').choices(against))
    .option('--only-against', 'measure only the other broker')
    .option('--json', 'print figures as JSON, one document a bench');
}

/** The broker and what it is compared with, as the command line says. `missing`: why the others cannot be run here, if so. */
export async function compared(
  { against, onlyAgainst = false }: CommonOptions,
  own: Peer,
  name: string,
  missing: () => string | undefined,
  others: () => Promise<Peer[]>,
): Promise<Peer[]> {
  if (against === undefined && onlyAgainst) throw new Error('--only-against: say which broker with --against');
  if (against === undefined) return [own];
  const why = missing();
  if (why === undefined) return [...(onlyAgainst ? [] : [own]), ...(await others())];
  if (onlyAgainst) throw new Error(why);
  console.error(`${name} is skipped: ${why}`);
  return [own];
}

export function profiled(command: Command): Command {
  return command
    .option('--rounds <count>', 'how often; brokers that are compared take turns', count, 1)
    .option('--profile', "profile the broker's CPU, and print where its time went");
}

/** A load that is measured for a while. */
export function timed(command: Command): Command {
  return profiled(
    command
      .option('--seconds <seconds>', 'length of the measured window', positive, 5)
      .option('--warm-up <seconds>', 'what is not measured, before it (default: 2; with --against 10)', positive),
  );
}

export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

export function count(text: string): number {
  const value = positive(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

export function size(text: string): number {
  return text === '0' ? 0 : count(text);
}

/** Bytes. */
export function megabytes(text: string): number {
  return positive(text) * 1e6;
}

export function oneOf(...choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`Give one of ${choices.join(', ')}.`);
    return text;
  };
}
