import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { EventLoopWatch, Vitals } from './environment.ts';

/** Where Linux says which files a process has open. */
const OPEN_FILES = '/proc/self/fd';
/** How often it is looked how late the event loop is. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1_000_000;
const US_PER_SECOND = 1_000_000;

export const realVitals: Vitals = {
  cpuSeconds() {
    const { user, system } = process.cpuUsage();
    return { user: user / US_PER_SECOND, system: system / US_PER_SECOND };
  },
  memory() {
    const { rss: resident, heapUsed, heapTotal, external } = process.memoryUsage();
    return { resident, heapUsed, heapTotal, external };
  },
  async openFiles() {
    try {
      return (await readdir(OPEN_FILES)).length;
    } catch {
      return undefined;
    }
  },
  watchEventLoop,
};

function watchEventLoop(): EventLoopWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let before = performance.eventLoopUtilization();
  // What is measured is the time between two looks.
  const late = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS_PER_MS - RESOLUTION_MS) : 0);
  return {
    take() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      const { mean, max, count } = delay;
      const p99 = delay.percentile(99);
      delay.reset();
      if (count === 0) return { utilization, delayMeanMs: 0, delayP99Ms: 0, delayMaxMs: 0 };
      return { utilization, delayMeanMs: late(mean), delayP99Ms: late(p99), delayMaxMs: late(max) };
    },
    close: () => delay.disable(),
  };
}
