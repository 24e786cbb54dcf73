import type { BrokerProcess } from './broker-process.ts';

const MICROSECONDS = 1e6;
const SAMPLE_MS = 50;

export interface Expense {
  readonly seconds: number;
  /** Of the broker's process; undefined where the operating system does not tell. */
  readonly brokerCpuSeconds: number | undefined;
  /** CPU seconds of this process per second. */
  readonly clientCpuShare: number;
}

/** What is spent from its making on. */
export class Spent {
  readonly #broker: BrokerProcess;
  readonly #startedAt = performance.now();
  readonly #brokerCpu: number | undefined;
  readonly #clientCpu = process.cpuUsage();

  constructor(broker: BrokerProcess) {
    this.#broker = broker;
    this.#brokerCpu = broker.usage().cpuSeconds;
  }

  until(): Expense {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { cpuSeconds } = this.#broker.usage();
    const { user, system } = process.cpuUsage(this.#clientCpu);
    return {
      seconds,
      brokerCpuSeconds:
        cpuSeconds === undefined || this.#brokerCpu === undefined ? undefined : cpuSeconds - this.#brokerCpu,
      clientCpuShare: (user + system) / MICROSECONDS / seconds,
    };
  }
}

/** Does something, and answers the largest resident size that the broker was seen with meanwhile. */
export async function peakResident(broker: BrokerProcess, body: () => Promise<void>): Promise<number | undefined> {
  let peak: number | undefined;
  const sample = () => {
    const { residentBytes } = broker.usage();
    if (residentBytes !== undefined) peak = Math.max(peak ?? 0, residentBytes);
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    await body();
  } finally {
    clearInterval(timer);
  }
  sample();
  return peak;
}
