import type { Histogram } from '../src/cli/bench/histogram.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { Measurement } from './measurement.ts';
import { Spent } from './spent.ts';

/** What a load has done since it began. */
export interface Counted {
  readonly records: number;
  readonly bytes: number;
}

/** What a bench measured itself, and how it calls it. */
export interface Measured extends Pick<Measurement, 'bench' | 'unit'> {
  readonly latency: Histogram;
  readonly confirmLatency?: Histogram | undefined;
}

/** The time that is measured: counts and CPU at its begin are taken from those at its end. */
export class Window {
  readonly #broker: BrokerProcess;
  readonly #counted: readonly Counted[];
  readonly #spent: Spent;
  readonly #records: number;
  readonly #bytes: number;

  constructor(broker: BrokerProcess, counted: readonly Counted[]) {
    this.#broker = broker;
    this.#counted = counted;
    this.#records = this.#sum('records');
    this.#bytes = this.#sum('bytes');
    this.#spent = new Spent(broker);
  }

  get records(): number {
    return this.#sum('records') - this.#records;
  }

  get bytes(): number {
    return this.#sum('bytes') - this.#bytes;
  }

  /** Throws when nothing happened in the window. */
  end({ bench, unit, latency, confirmLatency }: Measured): Measurement {
    const expense = this.#spent.until();
    const { records, bytes } = this;
    if (records === 0) throw new Error(`no ${unit} came through in the measured window`);
    return {
      bench,
      broker: this.#broker.name,
      unit,
      records,
      bytes,
      ...expense,
      latency: latency.summary(),
      confirmLatency: confirmLatency?.summary(),
      peakMemoryBytes: this.#broker.usage().peakResidentBytes,
    };
  }

  #sum(what: keyof Counted): number {
    return this.#counted.reduce((sum, each) => sum + each[what], 0);
  }
}
