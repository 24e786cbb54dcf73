import { type Command, Option } from 'commander';
import { print } from '../output.ts';
import { pause } from '../pause.ts';
import { commandTree, NAME_KINDS, type NameKind } from './command-tree.ts';

/** Whoever presses Tab waits for it. */
const PATIENCE_MS = 1500;

const EXAMPLES = `
Examples:
  source <(sluice completion bash)                                             now; or in ~/.bashrc
  sluice completion bash > ~/.local/share/bash-completion/completions/sluice
  sluice completion zsh > ~/.zfunc/_sluice                                     where ~/.zfunc is in fpath
  sluice completion fish > ~/.config/fish/completions/sluice.fish

Names of queues, topics and so on come from the broker that the line names, when it answers at once: no password is asked for.
`;

export function register(program: Command, everything: () => Promise<Command>): void {
  const completion = program
    .command('completion')
    .description('print what makes a shell complete commands, options and names')
    .addHelpText('after', EXAMPLES);
  completion
    .command('bash')
    .description('for bash')
    .action(async () => {
      const { bashScript } = await import('./bash.ts');
      await print(bashScript(commandTree(await everything())).trimEnd());
    });
  completion
    .command('zsh')
    .description('for zsh')
    .action(async () => {
      const { zshScript } = await import('./zsh.ts');
      await print(zshScript(commandTree(await everything())).trimEnd());
    });
  completion
    .command('fish')
    .description('for fish')
    .action(async () => {
      const { fishScript } = await import('./fish.ts');
      await print(fishScript(commandTree(await everything())).trimEnd());
    });
  completion
    .command('names', { hidden: true })
    .argument('<kind>')
    .argument('[line]')
    .addOption(new Option('--patience <ms>').argParser(Number).default(PATIENCE_MS).hideHelp())
    .action(names);
}

/** Whatever is wrong, nothing is completed, and nothing is said in the middle of somebody's line. */
async function names(kind: string, line = '', { patience }: { readonly patience: number }): Promise<void> {
  const known = NAME_KINDS.find((each) => each === kind);
  if (known === undefined) return;
  const found = await Promise.race([asked(known, line), pause(patience).then(() => [])]);
  // One that has a line break in it cannot be told from two.
  for (const name of found) if (!/[\r\n]/.test(name)) await print(name);
  process.exit(0);
}

async function asked(kind: NameKind, line: string): Promise<string[]> {
  try {
    const { namesOf } = await import('./names.ts');
    return await namesOf(kind, line);
  } catch {
    return [];
  }
}
