import { MessageBytes } from '../../src/broker/messages/message-bytes.ts';
import { properties } from '../../src/broker/queues/fixture.contract.ts';

/** A message that says in its body which one it is. */
export function numberedMessage(
  id: number,
  bodyBytes: number,
  fields: { readonly priority: number; readonly expiration?: string },
): MessageBytes {
  return MessageBytes.of('x', 'k', properties(fields), Buffer.alloc(12 + bodyBytes, `${id} `));
}

export function numberOf({ body, bodyStart }: MessageBytes): number {
  return Number.parseInt(body.toString('latin1', bodyStart, bodyStart + 12), 10);
}

/** The same message as a queue's dead letter. */
export function letterOf(message: MessageBytes, fields: { readonly priority?: number } = {}): MessageBytes {
  // A dead letter has no expiration any more.
  const body = Buffer.from(message.body.subarray(message.bodyStart, message.bodyEnd));
  return MessageBytes.of('letters', 'k', properties(fields), body);
}

/** Lets everything else that waits for the event loop have its turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Waits until nothing is under way, also not after everything else had its turn. */
export async function settled({ turns, shard }: Record<'turns' | 'shard', { readonly idle: boolean }>): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    quiet = turns.idle && shard.idle ? quiet + 1 : 0;
    await turn();
  }
}

/** Rejects with what went wrong for the seed, and, where the variable SEED is set, how it came to that. */
export async function withHistory(seed: number, history: readonly string[], run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const told = process.env['SEED'] === undefined ? '' : `\n${history.join('\n')}`;
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}${told}`);
  }
}
