import { signal } from '@preact/signals';
import { beat } from './pulse.ts';

/** Whether the broker answers. Polls stand still while it does not, and all ask at once when it does again. */
export const connected = signal(true);
/** Counts how often it came back. */
export const returns = signal(0);

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

export function noteAnswer(): void {
  if (connected.peek()) return;
  connected.value = true;
  returns.value += 1;
  beat();
}

export function noteSilence(): void {
  if (!connected.peek()) return;
  connected.value = false;
  knock(FIRST_WAIT_MS);
}

/** Asks now, whatever the wait. */
export async function knockNow(): Promise<void> {
  try {
    await fetch('/healthz', { cache: 'no-store', headers: { 'x-requested-with': 'console' } });
    noteAnswer();
  } catch {}
}

function knock(waitMs: number): void {
  setTimeout(async () => {
    await knockNow();
    if (!connected.peek()) knock(Math.min(waitMs * 2, LONGEST_WAIT_MS));
  }, waitMs);
}
