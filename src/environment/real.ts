import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Environment, Random, Timer } from './environment.ts';
import { realFiles } from './real-files.ts';
import { realMemory } from './real-memory.ts';
import { realNetwork } from './real-network.ts';
import { realThreads } from './real-threads.ts';
import { realVitals } from './real-vitals.ts';

/** Node runs timers with a longer delay than this at once (setTimeout's documentation). */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback): Timer {
    const due = performance.now() + delayMs;
    let timeout: NodeJS.Timeout;
    const arm = (restMs: number) => {
      const last = restMs <= MAX_TIMEOUT_MS;
      timeout = setTimeout(() => (last ? callback() : arm(due - performance.now())), last ? restMs : MAX_TIMEOUT_MS);
      timeout.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

const random: Random = {
  uuid: () => randomUUID(),
  float: () => Math.random(),
  bytes: (length) => randomBytes(length),
};

/** This machine: its clock, its randomness, its files and its network. */
export function realEnvironment(): Environment {
  return {
    ...{ clock, random, files: realFiles, network: realNetwork },
    ...{ memory: realMemory, threads: realThreads, vitals: realVitals },
  };
}
