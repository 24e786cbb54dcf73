import type { BrokerProcess } from './broker-process.ts';
import type { Histogram } from './histogram.ts';
import type { Measurement } from './work.ts';

/** What a load has done since it began. */
export interface Counted {
  readonly records: number;
  readonly bytes: number;
}

const MICROSECONDS = 1e6;

/** The time that is measured: counts and CPU at its begin are taken from those at its end. */
export class Window {
  readonly #broker: BrokerProcess;
  readonly #counted: readonly Counted[];
  readonly #startedAt = performance.now();
  readonly #records: number;
  readonly #bytes: number;
  readonly #brokerCpu: number | undefined;
  readonly #clientCpu = process.cpuUsage();

  constructor(broker: BrokerProcess, counted: readonly Counted[]) {
    this.#broker = broker;
    this.#counted = counted;
    this.#records = this.#sum('records');
    this.#bytes = this.#sum('bytes');
    this.#brokerCpu = broker.usage().cpuSeconds;
  }

  get bytes(): number {
    return this.#sum('bytes') - this.#bytes;
  }

  /** Throws when nothing happened in the window. */
  end(bench: string, latency: Histogram): Measurement {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { cpuSeconds, peakResidentBytes } = this.#broker.usage();
    const { user, system } = process.cpuUsage(this.#clientCpu);
    const records = this.#sum('records') - this.#records;
    if (records === 0) throw new Error('no record came through in the measured window');
    return {
      bench,
      broker: this.#broker.name,
      seconds,
      records,
      bytes: this.bytes,
      latency: latency.summary(),
      brokerCpuSeconds:
        cpuSeconds === undefined || this.#brokerCpu === undefined ? undefined : cpuSeconds - this.#brokerCpu,
      peakMemoryBytes: peakResidentBytes,
      clientCpuShare: (user + system) / MICROSECONDS / seconds,
    };
  }

  #sum(what: keyof Counted): number {
    return this.#counted.reduce((sum, each) => sum + each[what], 0);
  }
}
