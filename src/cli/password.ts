import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { linesIn } from './lines.ts';

export async function firstLine(chunks: AsyncIterable<Buffer>): Promise<string> {
  for await (const [line] of linesIn(chunks)) return line?.toString() ?? '';
  return '';
}

/** Asks on the terminal, without showing what is typed. */
export function askPassword(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Asked only now: what is typed at once is not shown either.
  process.stderr.write(question);
  return new Promise((resolve) => {
    let line = '';
    prompt.on('SIGINT', () => prompt.close());
    prompt.on('close', () => {
      process.stderr.write('\n');
      resolve(line);
    });
    prompt.on('line', (typed) => {
      line = typed;
      prompt.close();
    });
  });
}
