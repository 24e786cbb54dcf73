import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; where there is none, the answer is yes: a script has said what it wants. */
export async function agreed(question: string, yes: true | undefined): Promise<boolean> {
  if (yes || !process.stdin.isTTY) return true;
  return confirmed(question);
}

/** Asks on the terminal. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
