import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { BrokerError } from '../errors.ts';
import type { DirectoryLock } from './environment.ts';

/*
 * A lock that dies with its process, made of files only, since Node has no flock.
 *
 *   lock             one line of JSON: who holds the directory. Comes into being whole, by link(2), or not at all.
 *   lock.after.<t>   who succeeds the dead holder with token <t>. link(2) gives it to one only, so that of several
 *                    processes that find the same dead holder one replaces it, and a slower one cannot replace the
 *                    successor. A successor that dies before it has finished has successors of its own.
 */

interface Holder {
  readonly pid: number;
  /** Which process of that number it is: boot and start time, where the system tells (Linux); otherwise empty. */
  readonly started: string;
  readonly token: string;
}

/** Steps of the dance with other processes; each one that is lost to another makes it more likely that we are told who holds it. */
const MAX_ATTEMPTS = 100;

/** Takes the lock file for this process, or rejects with `already-exists`. */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const me: Holder = { pid: process.pid, started: await startOf(process.pid), token: randomUUID() };
  const own = `${path}.${me.token}`;
  await writeFile(own, `${JSON.stringify(me)}\n`, { flag: 'wx', flush: true });
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await tryToTake(path, own)) return { release: () => release(path, me.token) };
    }
    throw new BrokerError('already-exists', `${path} keeps changing hands: see which other brokers are being started`);
  } finally {
    await rm(own, { force: true });
  }
}

/** One attempt: true when the lock is ours, false when somebody was faster and it has to be looked at again. */
async function tryToTake(path: string, own: string): Promise<boolean> {
  if (await linked(own, path)) return true;
  const root = await readHolder(path);
  if (!root) return false;
  const claims: string[] = [];
  for (let holder = root; ; ) {
    await refuseIfAlive(holder, path);
    const claim = `${path}.after.${holder.token}`;
    claims.push(claim);
    if (await linked(own, claim)) break;
    const successor = await readHolder(claim);
    if (!successor) return false;
    holder = successor;
  }
  // Claims are removed only after the lock was replaced: if it is still the dead one's, nobody else may replace it.
  const mine = claims.at(-1) as string;
  if ((await readHolder(path))?.token !== root.token) {
    await rm(mine, { force: true });
    return false;
  }
  await rename(own, path);
  for (const claim of claims.reverse()) await rm(claim, { force: true });
  return true;
}

async function release(path: string, token: string): Promise<void> {
  const holder = await readHolder(path);
  if (holder?.token === token) await rm(path, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { pid, started, token } = JSON.parse(text) as Partial<Holder>;
    if (Number.isSafeInteger(pid) && typeof started === 'string' && /^[0-9a-f-]{36}$/.test(token ?? '')) {
      return { pid: pid as number, started, token: token as string };
    }
  } catch {
    // Not JSON: answered below.
  }
  // Written but not synced before a power loss; whoever wrote it is dead with the machine, or it is not our file.
  throw new BrokerError(
    'already-exists',
    `${path} cannot be read as a lock: make sure that no broker runs here, then remove it`,
  );
}

async function refuseIfAlive(holder: Holder, path: string): Promise<void> {
  if (!isAlive(holder.pid) || (await startOf(holder.pid)) !== holder.started) return;
  const who = holder.pid === process.pid ? 'another broker in this process' : `process ${holder.pid}`;
  throw new BrokerError('already-exists', `${path} is held by ${who}: stop it, or configure another directory`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells apart two processes that had the same number one after the other; empty where the system does not say. */
async function startOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // Field 22 is the start time (proc(5)). The second field, a name in parentheses, may hold spaces and parentheses.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot.trim()}/${startTime}`;
  } catch {
    return '';
  }
}
