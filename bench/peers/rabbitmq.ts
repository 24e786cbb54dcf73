import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AmqpConnection } from '../amqp/connection.ts';
import { type Address, BrokerProcess } from '../broker-process.ts';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import type { Peer } from './peer.ts';

/** Where Debian's package puts the scripts that run RabbitMQ as whoever calls them. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const VERSIONS = '/usr/lib/rabbitmq/lib';
const EPMD = '/usr/bin/epmd';
const HOST = '127.0.0.1';

/** Why RabbitMQ cannot be run here; undefined when it can. */
export function rabbitmqMissing(): string | undefined {
  for (const file of [SERVER, EPMD])
    if (!existsSync(file)) return `${file} is not there: install Debian's package rabbitmq-server to run it beside it`;
  return undefined;
}

/**
 * RabbitMQ as Debian has it, with its own defaults: one node on loopback, which sees nothing of others on the machine. With a port for it, its
 * management plugin listens there.
 */
export function rabbitmq({ managementPort }: { readonly managementPort?: number } = {}): Peer {
  const name = `rabbitmq ${version()}`;
  return {
    name,
    durable: true,
    async start(directory) {
      const [port, distributionPort] = [await freePort(HOST), await freePort(HOST)];
      await mkdir(directory, { recursive: true });
      if (managementPort !== undefined) {
        await writeFile(join(directory, 'enabled_plugins'), '[rabbitmq_management].\n');
        const listener = [`management.tcp.port = ${managementPort}`, `management.tcp.ip = ${HOST}`];
        await writeFile(join(directory, 'rabbitmq.conf'), `${listener.join('\n')}\n`);
      }
      const epmd = await Epmd.start();
      return BrokerProcess.start({
        name,
        command: SERVER,
        args: [],
        environment: {
          // The script then becomes the broker's process instead of staying beside it.
          RUNNING_UNDER_SYSTEMD: 'true',
          // Erlang's cookie is in there.
          HOME: directory,
          ERL_EPMD_PORT: String(epmd.port),
          ERL_EPMD_ADDRESS: HOST,
          // Data belong to a node of this name.
          RABBITMQ_NODENAME: `bench-${process.pid}@localhost`,
          RABBITMQ_NODE_IP_ADDRESS: HOST,
          RABBITMQ_NODE_PORT: String(port),
          RABBITMQ_DIST_PORT: String(distributionPort),
          RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
          RABBITMQ_LOG_BASE: join(directory, 'log'),
          // Not what the machine has in /etc/rabbitmq; without a file, everything is as RabbitMQ's defaults are.
          RABBITMQ_CONF_ENV_FILE: '/dev/null',
          RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq'),
          RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, 'advanced'),
          RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
        },
        ready: (output, ended) => {
          output(() => {});
          return answering({ host: HOST, port }, ended, answer);
        },
        afterwards: () => epmd.stop(),
      });
    },
  };
}

/** Erlang nodes find each other by a daemon, which they would start and leave behind. This one is a broker's own. */
class Epmd {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(): Promise<Epmd> {
    const port = await freePort(HOST);
    const child = spawn(EPMD, ['-port', String(port), '-address', HOST], { stdio: 'ignore' });
    await once(child, 'spawn');
    const epmd = new Epmd(port, child);
    process.once('exit', epmd.#kill);
    return epmd;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#kill();
    await ended;
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };
}

function version(): string {
  const [directory = ''] = readdirSync(VERSIONS);
  return directory.replace('rabbitmq_server-', '');
}

async function answer(address: Address): Promise<void> {
  const connection = await AmqpConnection.open({ ...address, onLost: () => {} });
  connection.end();
}
