// npm run bench -- <bench> [options]: see docs/benchmarks.md.
import { Command } from 'commander';
import { addBenchCommands } from './commands.ts';

const program = new Command('bench')
  .description('Measures the broker in a process of its own, with this process as its client.')
  .showHelpAfterError('(--help says what can be measured)');
addBenchCommands(program);

// The exit handlers take down the brokers and their data.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
process.exit();
