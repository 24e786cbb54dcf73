import type { CompletedCommand, CompletedOption, Values } from './command-tree.ts';

/** Each command's completions hold where the words before the cursor lead to its path. */
export function fishScript(tree: readonly CompletedCommand[]): string {
  const paths = tree.flatMap(({ path, subcommands }) =>
    subcommands.flatMap(({ names }) =>
      names.map((name) => `    case ${quoted(`${path} ${name}`)}; set path ${quoted(`${path} ${names[0]}`)}`),
    ),
  );
  return `# fish completion of sluice. Made by: sluice completion fish
function __sluice_path
  set -l path sluice
  for word in (commandline -opc)[2..]
    switch "$path $word"
${paths.map((line) => `  ${line}`).join('\n')}
    end
  end
  echo $path
end
function __sluice_at
  test (__sluice_path) = "$argv"
end
function __sluice_names
  set -l words (commandline -opc)
  $words[1] completion names $argv[1] (commandline -cp) 2>/dev/null </dev/null
end
complete -c sluice -f
${tree.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, subcommands, options, positional }: CompletedCommand): string[] {
  const here = `complete -c sluice -n ${quoted(`__sluice_at ${path}`)}`;
  // All places of a command are one to fish: it does not count.
  const places = [...new Set(positional.map(placeArguments))].filter((text) => text !== '');
  return [
    ...subcommands.flatMap(({ names, description }) =>
      names.map((name) => `${here} -a ${quoted(name)} -d ${quoted(description)}`),
    ),
    ...options.map((option) => `${here} ${optionText(option)}`),
    ...places.map((text) => `${here} ${text}`),
  ];
}

function optionText({ flags, description, values }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  // Exclusive: no files, where it is not one that is wanted.
  const value = values === undefined ? [] : [values.kind === 'files' ? '-r' : '-x', placeArguments(values)];
  return [...names, '-d', quoted(description), ...value].filter((part) => part !== '').join(' ');
}

function placeArguments(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `-a ${quoted(values.words.join(' '))}`;
    case 'names':
      return `-a ${quoted(`(__sluice_names ${values.of})`)}`;
    case 'files':
      return '-F';
    case 'anything':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
