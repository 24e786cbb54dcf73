import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';

const LOOPBACK_UP = ['ip', 'link', 'set', 'lo', 'up'];

/** The options of `unshare` by which this user may have a network namespace; undefined when there is no way. */
function unshareOptions(): string[] | undefined {
  // Who is not root can have one inside a user namespace, where the system allows those.
  return [['-n'], ['-r', '-n']].find((options) => spawnSync('unshare', [...options, ...LOOPBACK_UP]).status === 0);
}

/**
 * Runs a script of this project again, in a network namespace of its own, in which every port is free. Answers its exit
 * code; undefined when namespaces are not to be had, with nothing run.
 */
export async function runInNamespace(script: string, args: readonly string[]): Promise<number | undefined> {
  const options = unshareOptions();
  if (options === undefined) return undefined;
  const shell = `${LOOPBACK_UP.join(' ')} && exec "$@"`;
  const child = spawn('unshare', [...options, 'sh', '-c', shell, 'sh', process.execPath, script, ...args], {
    stdio: 'inherit',
  });
  // The terminal's Ctrl-C reaches the child by itself; whoever stops this process alone stops both.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Those of the ports that somebody listens on. */
export async function busyPorts(ports: readonly number[]): Promise<number[]> {
  const busy: number[] = [];
  for (const port of ports) if (!(await isFree(port))) busy.push(port);
  return busy;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, 'localhost', () => server.close(() => resolve(true)));
  });
}
