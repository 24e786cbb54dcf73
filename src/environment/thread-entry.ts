import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, toBrokerError } from '../errors.ts';

/** What a thread says to a request; see `real-threads.ts`. */
export type ThreadAnswer =
  | { readonly value: unknown }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

const module = import(workerData as string) as Promise<{ answer(request: unknown): unknown }>;

parentPort?.on('message', async (request) => {
  parentPort?.postMessage(await answerTo(request));
});

async function answerTo(request: unknown): Promise<ThreadAnswer> {
  try {
    return { value: (await module).answer(request) };
  } catch (thrown) {
    const { code, message } = toBrokerError(thrown);
    return { error: { code, message } };
  }
}
