import type { Argument, Command, Option } from 'commander';

/** What can stand in a place: one of these words, the name of something that the broker has, a file, or anything. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names'; readonly of: NameKind }
  | { readonly kind: 'files' }
  | { readonly kind: 'anything' };

/** What the broker is asked for. */
export const NAME_KINDS = [
  'queue',
  'exchange',
  'topic',
  'group',
  'user',
  'vhost',
  'policy',
  'connection',
  'channel',
] as const;
export type NameKind = (typeof NAME_KINDS)[number];

export interface CompletedCommand {
  /** As it is typed, `sluice` first. */
  readonly path: string;
  readonly subcommands: readonly { readonly names: readonly string[]; readonly description: string }[];
  readonly options: readonly CompletedOption[];
  /** The last one stands for all that follow. */
  readonly positional: readonly Values[];
}

export interface CompletedOption {
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined for one that takes no value. */
  readonly values: Values | undefined;
}

const ANYTHING: Values = { kind: 'anything' };
/** Names that are not there yet are nobody's to complete. */
const MAKING: readonly string[] = ['create', 'set', 'export'];
/** By the name of the argument or of the option. */
const KINDS: Readonly<Record<string, NameKind>> = {
  queue: 'queue',
  target: 'queue',
  toQueue: 'queue',
  exchange: 'exchange',
  source: 'exchange',
  destination: 'queue',
  toExchange: 'exchange',
  topicOf: 'exchange',
  deadLetterExchange: 'exchange',
  alternateExchange: 'exchange',
  topic: 'topic',
  group: 'group',
  vhost: 'vhost',
  user: 'user',
  of: 'user',
};

/** A command with all below it, each by its full path. */
export function commandTree(command: Command, before = ''): CompletedCommand[] {
  const path = before === '' ? command.name() : `${before} ${command.name()}`;
  const shown = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
  const own: CompletedCommand = {
    path,
    subcommands: shown.map((each) => ({ names: [each.name(), ...each.aliases()], description: each.description() })),
    options: [...command.options.map(optionOf), { flags: ['--help'], description: 'print help', values: undefined }],
    positional: command.registeredArguments.map((argument) => positionalOf(command, argument)),
  };
  return [own, ...shown.flatMap((each) => commandTree(each, path))];
}

function optionOf(option: Option): CompletedOption {
  const { short, long, description, argChoices, required, optional } = option;
  const flags = [long, short].filter((flag) => flag !== undefined && flag !== null);
  if (!required && !optional) return { flags, description, values: undefined };
  if (argChoices !== undefined) return { flags, description, values: { kind: 'words', words: argChoices } };
  if (/<(file|directory)>/.test(option.flags)) return { flags, description, values: { kind: 'files' } };
  return { flags, description, values: named(KINDS[option.attributeName()]) };
}

function positionalOf(command: Command, argument: Argument): Values {
  const noun = command.parent?.name() ?? '';
  const name = argument.name();
  if (name === 'file') return { kind: 'files' };
  if (argument.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  if (name !== 'name') return named(KINDS[name]);
  return MAKING.includes(command.name()) ? ANYTHING : named(NAME_KINDS.find((kind) => kind === noun));
}

function named(kind: NameKind | undefined): Values {
  return kind === undefined ? ANYTHING : { kind: 'names', of: kind };
}
