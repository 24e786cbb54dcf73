// biome-ignore lint/style/noRestrictedImports: the environment's timers keep no process alive, and a command that waits has to live.
import { setTimeout } from 'node:timers/promises';

/** Waits for so long, or until the signal says that it is enough. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}
