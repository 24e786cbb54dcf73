import { type Command, Option } from 'commander';
import { HASHING_ALGORITHMS, type HashingAlgorithm, hashPassword } from '../broker/index.ts';
import { realEnvironment } from '../environment/real.ts';
import { print } from './output.ts';
import { askPassword, firstLine } from './password.ts';
import { UsageError } from './usage-error.ts';

const PREFIX = 'rabbit_password_hashing_';

const EXAMPLES = `
Examples:
  sluice hash-password                           asks for the password
  sluice hash-password < password.txt            takes the first line

It prints what stands as "password_hash" of a user in definitions, with RabbitMQ's "hashing_algorithm": "${PREFIX}sha256".
`;

export function register(program: Command): void {
  program
    .command('hash-password')
    .description('print the hash of a password, for definitions')
    .addOption(
      new Option('--algorithm <name>', 'hash with this')
        .choices(HASHING_ALGORITHMS.map((name) => name.slice(PREFIX.length)))
        .default('sha256'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ algorithm }: { readonly algorithm: string }) => {
      const password = process.stdin.isTTY ? await askPassword('Password: ') : await firstLine(process.stdin);
      if (password === '') throw new UsageError('the password is empty: nobody could come in with it');
      // One of the choices.
      const { hash } = hashPassword(password, realEnvironment().random, `${PREFIX}${algorithm}` as HashingAlgorithm);
      await print(hash);
    });
}
