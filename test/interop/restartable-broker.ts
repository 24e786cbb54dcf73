import { SluiceProcess, temporaryDirectory } from '../cli/sluice.ts';

/** A broker of its own process, on a disk, that comes back under the address that it had. */
export class RestartableBroker {
  readonly #directory: string;
  #process: SluiceProcess;
  /** `HOST:PORT`. */
  address = '127.0.0.1:0';

  private constructor(directory: string) {
    this.#directory = directory;
    this.#process = this.#start();
  }

  static async start(): Promise<RestartableBroker> {
    const broker = new RestartableBroker(await temporaryDirectory());
    await broker.#isReady();
    return broker;
  }

  /** As by `kill -9`. */
  async killAndStartAgain(): Promise<void> {
    await this.#process.stop('SIGKILL');
    this.#process = this.#start();
    await this.#isReady();
  }

  /** What it has said since it was last started. */
  get log(): string {
    return this.#process.stderr;
  }

  #start(): SluiceProcess {
    const listen = ['--listen', `kafka://${this.address}`];
    return new SluiceProcess(['start', ...listen, '--data', this.#directory, '--log-level', 'warn']);
  }

  async #isReady(): Promise<void> {
    const [, address] = await this.#process.says(/^sluice ready kafka:\/\/(\S+).*\n/m);
    this.address = address as string;
  }
}
