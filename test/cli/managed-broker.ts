import { type Finished, type RunOptions, SluiceProcess, sluice } from './sluice.ts';

/** A broker of its own process with all listeners, for commands that ask its HTTP API. */
export class ManagedBroker extends SluiceProcess {
  /** Of its HTTP API. */
  url = '';
  /** `HOST:PORT`. */
  kafka = '';
  amqp = '';

  static async start(
    args: readonly string[] = ['--storage', 'memory'],
    options: RunOptions = {},
  ): Promise<ManagedBroker> {
    const listeners = ['kafka', 'amqp', 'http'].flatMap((protocol) => ['--listen', `${protocol}://127.0.0.1:0`]);
    const broker = new ManagedBroker(['start', ...listeners, ...args], options);
    const [, kafka = '', amqp = '', url = ''] = await broker.says(
      /^sluice ready kafka:\/\/(\S+) amqp:\/\/(\S+) (http:\S+).*\n/m,
    );
    return Object.assign(broker, { kafka, amqp, url });
  }

  /** Runs a command against this broker. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return sluice(args, { ...options, env: { SLUICE_CLIENT_URL: this.url, ...options.env } });
  }

  /** What a command that has to succeed prints. */
  async text(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  async json(args: readonly string[], options: RunOptions = {}): Promise<unknown> {
    return JSON.parse(await this.text([...args, '--json'], options));
  }
}
