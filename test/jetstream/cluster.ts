import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** Undefined when there is no nats-server to test with; says so, as a test that is skipped silently proves nothing. */
export function natsServerVersion(): string | undefined {
  const { status, stdout } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  process.stderr.write(
    'test/jetstream is skipped: there is no nats-server on the PATH (Debian: apt install nats-server)\n',
  );
  return undefined;
}

interface Server {
  readonly name: string;
  readonly port: number;
  readonly config: string;
  process: ChildProcess | undefined;
}

/** Three nats-server processes on loopback that form a JetStream cluster, with their files in a directory of their own. */
export class NatsCluster {
  readonly #directory: string;
  readonly #servers: readonly Server[];

  private constructor(directory: string, servers: readonly Server[]) {
    this.#directory = directory;
    this.#servers = servers;
  }

  static async start(): Promise<NatsCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-jetstream-'));
    const ports = await freePorts(6);
    const routes = ports.slice(3).map((port) => `nats-route://127.0.0.1:${port}`);
    const servers = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const name = `n${i}`;
        const config = join(directory, `${name}.conf`);
        await mkdir(join(directory, name));
        await writeFile(
          config,
          `server_name: ${name}
host: 127.0.0.1
port: ${ports[i]}
log_file: "${join(directory, `${name}.log`)}"
jetstream { store_dir: "${join(directory, name)}", max_memory_store: 64MB, max_file_store: 4GB }
cluster { name: test, host: 127.0.0.1, port: ${ports[i + 3]}, routes: [${routes.join(', ')}] }
`,
        );
        return { name, port: ports[i] ?? 0, config, process: undefined };
      }),
    );
    const cluster = new NatsCluster(directory, servers);
    for (const { name } of servers) cluster.restart(name);
    await cluster.#ready();
    return cluster;
  }

  get urls(): string[] {
    return this.#servers.map(({ port }) => `127.0.0.1:${port}`);
  }

  get names(): string[] {
    return this.#servers.map(({ name }) => name);
  }

  connect(urls = this.urls): Promise<NatsConnection> {
    return connect({
      servers: urls,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 50,
      waitOnFirstConnect: true,
      // A server that is frozen still accepts connections, and keeps those it has.
      timeout: 2_000,
      pingInterval: 1_000,
      maxPingOut: 2,
      // Else the client learns the servers' own addresses, and goes past whatever lies between.
      ignoreClusterUpdates: true,
    });
  }

  /** As the kernel does it when memory is short: no flush, no goodbye. */
  async kill(name: string): Promise<void> {
    const server = this.#server(name);
    const { process } = server;
    if (process === undefined) return;
    server.process = undefined;
    process.kill('SIGKILL');
    if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  }

  restart(name: string): void {
    const server = this.#server(name);
    server.process ??= spawn('nats-server', ['--config', server.config], { stdio: 'ignore' });
  }

  /** As a virtual machine that is moved, or a long pause for breath: it goes on where it was, with what it believed. */
  freeze(name: string): void {
    this.#server(name).process?.kill('SIGSTOP');
  }

  thaw(name: string): void {
    this.#server(name).process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await Promise.all(this.names.map((name) => this.kill(name)));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #server(name: string): Server {
    const server = this.#servers.find((one) => one.name === name);
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  }

  /** Until the servers have found each other and a stream of three replicas can be made. */
  async #ready(): Promise<void> {
    const connection = await this.connect();
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 1_000 });
    for (;;) {
      try {
        await manager.streams.add({ name: 'ready', subjects: ['ready'], num_replicas: 3 });
        await manager.streams.delete('ready');
        break;
      } catch {
        await sleep(100);
      }
    }
    await connection.close();
  }
}

/** The server that leads a stream, once there is one. */
export async function leaderOf(connection: NatsConnection, stream: string): Promise<string> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 1_000 });
  for (;;) {
    try {
      const { cluster } = await manager.streams.info(stream);
      if (cluster?.leader) return cluster.leader;
    } catch {
      // No leader at this time.
    }
    await sleep(50);
  }
}

/** Makes the leader of a stream hand over to another server. */
export async function stepDown(connection: NatsConnection, stream: string): Promise<void> {
  await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 5_000 });
}

async function freePorts(count: number): Promise<number[]> {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((listener) => once(listener, 'listening')));
  const ports = listeners.map((listener) => {
    const address = listener.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(
    listeners.map((listener) => {
      listener.close();
      return once(listener, 'close');
    }),
  );
  return ports;
}
