import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
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

/** RabbitMQ as Debian has it, with its own defaults: one node on loopback, which sees nothing of others on the machine. */
export async function rabbitmq(): Promise<Peer> {
  const epmdPort = await startEpmd();
  const name = `rabbitmq ${version()}`;
  return {
    name,
    durable: true,
    async start(directory) {
      const [port, distributionPort] = [await freePort(HOST), await freePort(HOST)];
      await mkdir(directory, { recursive: true });
      return BrokerProcess.start({
        name,
        command: SERVER,
        args: [],
        environment: {
          // The script then becomes the broker's process instead of staying beside it.
          RUNNING_UNDER_SYSTEMD: 'true',
          // Erlang's cookie is in there.
          HOME: directory,
          ERL_EPMD_PORT: String(epmdPort),
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
      });
    },
  };
}

/** Erlang nodes find each other by a daemon, which they would start and leave behind. This one goes with the bench. */
async function startEpmd(): Promise<number> {
  const port = await freePort(HOST);
  const epmd = spawn(EPMD, ['-port', String(port), '-address', HOST], { stdio: 'ignore' });
  process.once('exit', () => epmd.kill('SIGKILL'));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  epmd.once('spawn', resolve);
  epmd.once('error', reject);
  await promise;
  return port;
}

function version(): string {
  const [directory = ''] = readdirSync(VERSIONS);
  return directory.replace('rabbitmq_server-', '');
}

async function answer(address: Address): Promise<void> {
  const connection = await AmqpConnection.open({ ...address, onLost: () => {} });
  connection.end();
}
