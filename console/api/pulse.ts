import { signal } from '@preact/signals';

/** Counts up when all that is shown may be old: the broker is back, or something was changed. Polls ask anew. */
export const pulse = signal(0);

export function beat(): void {
  pulse.value += 1;
}
