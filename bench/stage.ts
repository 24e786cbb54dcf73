import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerProcess } from './broker-process.ts';
import { peakResident, Spent } from './spent.ts';

/** How long a broker is left alone before its memory counts as idle. */
export const IDLE_SECONDS = 2;

/** What one part of a bench found that does a known number of things. */
export interface Stage {
  readonly seconds: number;
  readonly perSecond: number;
  readonly cpuMicroseconds: number | undefined;
  readonly peakMegabytes: number | undefined;
  readonly clientCpuShare: number;
}

/** Does something so many times. */
export async function stage(broker: BrokerProcess, count: number, body: () => Promise<void>): Promise<Stage> {
  const spent = new Spent(broker);
  const peak = await peakResident(broker, body);
  const { seconds, brokerCpuSeconds, clientCpuShare } = spent.until();
  return {
    seconds,
    perSecond: count / seconds,
    cpuMicroseconds: brokerCpuSeconds && (brokerCpuSeconds * 1e6) / count,
    peakMegabytes: inMegabytes(peak),
    clientCpuShare,
  };
}

/** Resident bytes of a broker that has been left alone for so long. */
export async function idleBytes(broker: BrokerProcess, seconds: number): Promise<number | undefined> {
  await delay(seconds * 1000);
  return broker.usage().residentBytes;
}

export async function idleMegabytes(broker: BrokerProcess, seconds: number): Promise<number | undefined> {
  return inMegabytes(await idleBytes(broker, seconds));
}

function inMegabytes(bytes: number | undefined): number | undefined {
  return bytes && bytes / 1e6;
}
