import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { BrokerError } from '../errors.ts';
import type { Address } from './arguments.ts';

const COMMAND = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
const PROTOCOLS = ['kafka', 'amqp', 'http'] as const;

type Addresses = Readonly<Record<(typeof PROTOCOLS)[number], Address>>;

export interface OwnBrokerOptions {
  /** It goes on when this process has ended. */
  readonly stays?: boolean;
}

/** A broker in memory in a process of its own, on free ports of this machine; it ends with this process. */
export class OwnBroker {
  readonly addresses: Addresses;
  readonly #child: ChildProcess;
  readonly #kill: () => void;

  private constructor(child: ChildProcess, kill: () => void, addresses: Addresses) {
    this.#child = child;
    this.#kill = kill;
    this.addresses = addresses;
  }

  static async start({ stays = false }: OwnBrokerOptions = {}): Promise<OwnBroker> {
    const listeners = PROTOCOLS.flatMap((protocol) => ['--listen', `${protocol}://127.0.0.1:0`]);
    const args = [COMMAND, 'start', '--storage', 'memory', '--log-level', 'error', ...listeners];
    // What configures brokers of this machine is not meant for this one.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')));
    const child = spawn(process.execPath, args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', stays ? 'ignore' : 'pipe'],
    });
    const kill = () => child.kill();
    process.on('exit', kill);
    let said = '';
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4096);
    });
    const ended = once(child, 'exit');
    for await (const text of child.stdout?.setEncoding('utf8') ?? []) {
      said += text;
      if (said.includes('\n')) break;
    }
    const addresses = addressesIn(said);
    if (addresses === undefined) {
      await ended;
      throw new BrokerError('closed', `the broker did not start: ${complaint.trim()}`);
    }
    child.unref();
    // A pipe is a socket to Node, which keeps this process alive unless it is told not to.
    (child.stderr as Socket | null)?.unref();
    if (stays) process.off('exit', kill);
    return new OwnBroker(child, kill, addresses);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Stops it, and waits until it is gone. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null) return;
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

/** Of the line that says that it is ready. */
function addressesIn(line: string): Addresses | undefined {
  const found = PROTOCOLS.map((protocol) => {
    const [, host, port] = new RegExp(`${protocol}://([\\d.]+):(\\d+)`).exec(line) ?? [];
    return host === undefined ? undefined : ([protocol, { host, port: Number(port) }] as const);
  });
  const all = found.filter((each) => each !== undefined);
  return all.length === PROTOCOLS.length ? (Object.fromEntries(all) as Addresses) : undefined;
}
