import type { BrokerProcess } from './broker-process.ts';
import type { Peer } from './peers/peer.ts';

/** One broker on one directory while a bench uses it, with the loads that work it. */
export class BrokerRun {
  readonly #peer: Peer;
  readonly #directory: string;
  #broker: BrokerProcess;
  readonly #failed = Promise.withResolvers<never>();
  readonly #loads: { close(): void }[] = [];

  private constructor(peer: Peer, directory: string, broker: BrokerProcess) {
    this.#peer = peer;
    this.#directory = directory;
    this.#broker = broker;
    // Who does not wait for it at the moment need not know yet.
    this.#failed.promise.catch(() => {});
  }

  /** Starts a broker and does something with it; it is stopped in the end, and what a failure says holds the broker's log. */
  static async use<T>(peer: Peer, directory: string, body: (run: BrokerRun) => Promise<T>): Promise<T> {
    const run = new BrokerRun(peer, directory, await peer.start(directory));
    try {
      const result = await run.orFailed(body(run));
      run.closeLoads();
      await run.#broker.stop();
      return result;
    } catch (error) {
      run.closeLoads();
      await run.#broker.stop('SIGKILL');
      throw new Error(`${peer.name}: ${error instanceof Error ? error.message : error}\n${run.#broker.log}`, {
        cause: error,
      });
    }
  }

  get broker(): BrokerProcess {
    return this.#broker;
  }

  /** A load could not go on: whatever waits with `orFailed` fails. */
  readonly fail = (error: Error): void => this.#failed.reject(error);

  /** Resolves as the given promise does, unless a load fails before. */
  async orFailed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed.promise]);
  }

  /** Loads are closed with the broker. */
  async open<T, Load extends { close(): void }>(
    parts: readonly T[],
    open: (part: T, index: number) => Promise<Load>,
  ): Promise<Load[]> {
    const loads = await this.orFailed(Promise.all(parts.map(open)));
    this.#loads.push(...loads);
    return loads;
  }

  closeLoads(): void {
    for (const load of this.#loads.splice(0)) load.close();
  }

  /** Throws unless the broker can be restarted on its data. */
  mustBeDurable(): void {
    if (!this.#peer.durable) throw new Error(`${this.#peer.name} keeps nothing over a restart: use --storage disk`);
  }

  /** Stops the broker, or kills it, and starts it again on its data. */
  async restart(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.closeLoads();
    await this.#broker.stop(signal);
    this.#broker = await this.#peer.start(this.#directory);
  }
}
