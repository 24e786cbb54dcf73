import type { Clock } from '../environment/environment.ts';

/** npm passes on a Ctrl-C that the terminal has sent to its children too: two signals within this time are one. */
const SAME_SIGNAL_MS = 100;

/** Resolves with the first SIGTERM or SIGINT. A second one exits at once, with code 1. */
export function stopSignal(clock: Pick<Clock, 'monotonic'>): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const receive = (signal: NodeJS.Signals) => {
      const now = clock.monotonic();
      if (first !== undefined && now - first > SAME_SIGNAL_MS) process.exit(1);
      first ??= now;
      resolve(signal);
    };
    process.on('SIGTERM', receive);
    process.on('SIGINT', receive);
  });
}
