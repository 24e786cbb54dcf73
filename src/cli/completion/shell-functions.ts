import type { CompletedCommand, Values } from './command-tree.ts';

/*
 * What bash and zsh both understand: functions that print, for the path of a command, what can follow. A place's values are words,
 * or one of @files, @any and @names:KIND.
 */

/** Functions `_sluice_subcommands PATH`, `_sluice_options PATH`, `_sluice_value PATH OPTION`, `_sluice_positional PATH INDEX`. */
export function shellFunctions(tree: readonly CompletedCommand[]): string {
  const below = tree.filter(({ subcommands }) => subcommands.length > 0);
  const taking = tree.filter(({ positional }) => positional.length > 0);
  return [
    caseFunction('_sluice_path', '"$1 $2"', below.flatMap(pathCases), ''),
    caseFunction(
      '_sluice_subcommands',
      '"$1"',
      below.map(({ path, subcommands }) => [quoted(path), subcommands.flatMap(({ names }) => names).join(' ')]),
      '',
    ),
    caseFunction(
      '_sluice_options',
      '"$1"',
      tree.map(({ path, options }) => [
        quoted(path),
        options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--'))).join(' '),
      ]),
      '',
    ),
    caseFunction('_sluice_value', '"$1 $2"', tree.flatMap(valueCases), ''),
    caseFunction('_sluice_positional', '"$1 $2"', taking.flatMap(positionalCases), '@any'),
  ].join('\n');
}

type Case = readonly [pattern: string, text: string];

/** The path that a word leads to: an alias leads where its command does. */
function pathCases({ path, subcommands }: CompletedCommand): Case[] {
  return subcommands.map(({ names }) => [
    names.map((name) => quoted(`${path} ${name}`)).join('|'),
    `${path} ${names[0]}`,
  ]);
}

function valueCases({ path, options }: CompletedCommand): Case[] {
  return options.flatMap(({ flags, values }) =>
    values === undefined
      ? []
      : [[flags.map((flag) => quoted(`${path} ${flag}`)).join('|'), placeText(values)] as const],
  );
}

function positionalCases({ path, positional }: CompletedCommand): Case[] {
  return positional.map((values, index) => {
    const last = index === positional.length - 1;
    return [last ? `${quoted(`${path} `)}*` : quoted(`${path} ${index}`), placeText(values)];
  });
}

export function placeText(values: Values): string {
  switch (values.kind) {
    case 'words':
      return values.words.join(' ');
    case 'names':
      return `@names:${values.of}`;
    case 'files':
      return '@files';
    case 'anything':
      return '@any';
  }
}

function caseFunction(name: string, subject: string, cases: readonly Case[], otherwise: string): string {
  const lines = cases.map(([pattern, text]) => `    ${pattern}) echo ${quoted(text)} ;;`);
  return [`${name}() {`, `  case ${subject} in`, ...lines, `    *) echo ${quoted(otherwise)} ;;`, '  esac', '}'].join(
    '\n',
  );
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
