import { dirname, resolve } from 'node:path/posix';
import { BrokerError } from '../errors.ts';
import type { DirectoryLock, File, FileSystem } from './environment.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedInode } from './simulated-inode.ts';

/** What changes the device, and can be failed or crashed at. */
export type DiskOperation = 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'create' | 'syncDirectory';

/** Names that change together, in one directory: undefined takes a name away. */
interface NameChange {
  readonly directory: string;
  readonly names: readonly (readonly [path: string, inode: SimulatedInode | undefined])[];
}

interface Fault {
  readonly operation: DiskOperation | 'read';
  /** How many such operations go well before. */
  after: number;
}

/**
 * A disk in memory with the file system on it, as bad as a real one may be, and the same for the same seed:
 *
 * - What was not synced may be lost at a power loss or be there, sector by sector; so may names that were made, changed or
 *   removed without `syncDirectory` afterwards. What was synced survives.
 * - Operations that are under way at a time take effect and end in any order.
 * - It can be full, fail, and have its bytes corrupted.
 */
export class SimulatedDisk {
  readonly random: SeededRandom;
  /** Bytes it can hold. */
  capacity = Number.POSITIVE_INFINITY;
  /** Operations that changed it, or tried to, so far. */
  operations = 0;
  #names = new Map<string, SimulatedInode>();
  #storedNames = new Map<string, SimulatedInode>();
  #unsyncedNames: NameChange[] = [];
  readonly #directories = new Set<string>(['/']);
  readonly #locks = new Set<string>();
  #faults: Fault[] = [];
  #crashAt: { readonly operation: number; readonly crashed: () => void } | undefined;
  /** Counts the machine's (or the program's) lives. */
  #life = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** The file system for a program that starts now; it does nothing any more after a `crash` or `kill`. */
  files(): FileSystem {
    return new SimulatedFiles(this);
  }

  get life(): number {
    return this.#life;
  }

  /** Power loss. Calls that were under way, and those to come by who ran before, are never answered. */
  crash(): void {
    this.kill();
    for (const change of this.#unsyncedNames) if (this.random.chance(0.5)) apply(this.#storedNames, change);
    this.#unsyncedNames = [];
    this.#names = new Map(this.#storedNames);
    for (const inode of new Set(this.#names.values())) inode.lose(this.random);
  }

  /** The program ends, the machine goes on: nothing of what was written is lost. */
  kill(): void {
    this.#life++;
    this.#locks.clear();
    this.#crashAt = undefined;
    this.#faults = [];
  }

  /** Power loss in the middle of the n-th operation from now (1 is the next one). Resolves when it has happened. */
  crashAt(n: number): Promise<void> {
    return new Promise((crashed) => {
      this.#crashAt = { operation: this.operations + n, crashed };
    });
  }

  /** Lets one operation of the kind fail with `storage-failed`, after `after` of them went well. */
  fail(operation: DiskOperation | 'read', after = 0): void {
    this.#faults.push({ operation, after });
  }

  corrupt(path: string, position: number, length: number): void {
    this.inode(resolve('/', path)).corrupt(position, length);
  }

  get usedBytes(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.size;
    return used;
  }

  /** Paths of the files there are, for a test to choose from. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  inode(path: string): SimulatedInode {
    const inode = this.#names.get(path);
    if (!inode) throw new BrokerError('not-found', `there is no file ${path}`);
    return inode;
  }

  has(path: string): boolean {
    return this.#names.has(path);
  }

  list(directory: string): string[] {
    const prefix = directory === '/' ? '/' : `${directory}/`;
    const names = new Set<string>();
    for (const path of this.#names.keys())
      if (path.startsWith(prefix) && !path.includes('/', prefix.length)) names.add(path.slice(prefix.length));
    for (const path of this.#directories) {
      if (path.startsWith(prefix) && path !== directory && !path.includes('/', prefix.length))
        names.add(`${path.slice(prefix.length)}/`);
    }
    return [...names];
  }

  makeDirectory(directory: string): void {
    for (let path = directory; !this.#directories.has(path); path = dirname(path)) this.#directories.add(path);
  }

  removeDirectory(directory: string): void {
    if (this.list(directory).length === 0) this.#directories.delete(directory);
  }

  hasDirectory(directory: string): boolean {
    return this.#directories.has(directory);
  }

  changeNames(change: NameChange): void {
    apply(this.#names, change);
    this.#unsyncedNames.push(change);
  }

  syncNames(directory: string): void {
    for (const change of this.#unsyncedNames) if (change.directory === directory) apply(this.#storedNames, change);
    this.#unsyncedNames = this.#unsyncedNames.filter((change) => change.directory !== directory);
  }

  lock(directory: string): void {
    if (this.#locks.has(directory)) throw new BrokerError('already-exists', `${directory} is held by another broker`);
    this.#locks.add(directory);
  }

  unlock(directory: string): void {
    this.#locks.delete(directory);
  }

  /** Whether this operation is to fail. */
  fails(operation: DiskOperation | 'read'): boolean {
    let failing: Fault | undefined;
    for (const fault of this.#faults) if (fault.operation === operation && fault.after-- === 0) failing ??= fault;
    this.#faults = this.#faults.filter((fault) => fault.after >= 0);
    return failing !== undefined;
  }

  /** Counts an operation, and answers whether power is lost in its middle; then `crash` is to be called when it is half done. */
  countAndCheckCrash(): boolean {
    this.operations++;
    return this.#crashAt?.operation === this.operations;
  }

  crashNow(): void {
    const crashed = this.#crashAt?.crashed;
    this.crash();
    crashed?.();
  }
}

function apply(names: Map<string, SimulatedInode>, change: NameChange): void {
  for (const [path, inode] of change.names) {
    if (inode) names.set(path, inode);
    else names.delete(path);
  }
}

/** Promise jobs that an operation takes, at most: enough for those issued together to end in any order. */
const MAX_DELAY_JOBS = 6;

/** Calls of one program's life to the disk. */
class Calls {
  readonly disk: SimulatedDisk;
  readonly #life: number;

  constructor(disk: SimulatedDisk) {
    this.disk = disk;
    this.#life = disk.life;
  }

  /** Does something that changes nothing. */
  async read<T>(action: () => T): Promise<T> {
    await this.#delay();
    const result = action();
    await this.#delay();
    return result;
  }

  /** Does something that changes the disk. One that is interrupted may still have been done; of one that fails there is what `failed` does. */
  async change(
    operation: DiskOperation,
    path: string,
    action: () => void,
    failed: () => void = () => {},
  ): Promise<void> {
    await this.#delay();
    const { disk } = this;
    if (disk.countAndCheckCrash()) {
      try {
        if (disk.random.chance(0.5)) action();
      } catch {
        // Nobody is there any more to hear that the disk was full, or the like.
      }
      disk.crashNow();
      return never();
    }
    if (disk.fails(operation)) {
      failed();
      throw new BrokerError('storage-failed', `cannot ${operation} ${path} (EIO, simulated): check the device`);
    }
    action();
    await this.#delay();
  }

  async #delay(): Promise<void> {
    for (let jobs = this.disk.random.below(MAX_DELAY_JOBS); jobs >= 0; jobs--) await undefined;
    if (this.disk.life !== this.#life) await never();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

class SimulatedFiles implements FileSystem {
  readonly #disk: SimulatedDisk;
  readonly #calls: Calls;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
    this.#calls = new Calls(disk);
  }

  async open(path: string, mode: 'read' | 'write' | 'create' | 'createNew'): Promise<File> {
    const disk = this.#disk;
    const name = resolve('/', path);
    const creates = () => (mode === 'create' && !disk.has(name)) || mode === 'createNew';
    if (creates()) {
      await this.#calls.change('create', path, () => {
        if (mode === 'createNew' && disk.has(name))
          throw new BrokerError('already-exists', `cannot open ${path}: the file is there already`);
        if (!disk.hasDirectory(dirname(name)))
          throw new BrokerError('not-found', `cannot open ${path}: there is no such directory`);
        if (disk.usedBytes >= disk.capacity) throw full(path);
        if (!disk.has(name)) disk.changeNames({ directory: dirname(name), names: [[name, new SimulatedInode()]] });
      });
    }
    return this.#calls.read(() => new SimulatedFile(path, disk.inode(name), this.#calls));
  }

  list(directory: string): Promise<string[]> {
    return this.#calls.read(() => this.#disk.list(resolve('/', directory)));
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#calls.read(() => this.#disk.makeDirectory(resolve('/', directory)));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#calls.change('rename', from, () => {
      const inode = this.#disk.inode(resolve('/', from));
      this.#disk.changeNames({
        directory: dirname(resolve('/', to)),
        names: [
          [resolve('/', from), undefined],
          [resolve('/', to), inode],
        ],
      });
    });
  }

  remove(path: string): Promise<void> {
    return this.#calls.change('remove', path, () => {
      if (this.#disk.has(resolve('/', path))) {
        this.#disk.changeNames({ directory: dirname(resolve('/', path)), names: [[resolve('/', path), undefined]] });
      }
    });
  }

  removeDirectory(directory: string): Promise<void> {
    return this.#calls.change('remove', directory, () => this.#disk.removeDirectory(resolve('/', directory)));
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#calls.change('syncDirectory', directory, () => this.#disk.syncNames(resolve('/', directory)));
  }

  freeBytes(): Promise<number> {
    return this.#calls.read(() => Math.max(0, this.#disk.capacity - this.#disk.usedBytes));
  }

  async lock(directory: string): Promise<DirectoryLock> {
    const path = resolve('/', directory);
    await this.#calls.read(() => this.#disk.lock(path));
    return { release: () => this.#calls.read(() => this.#disk.unlock(path)) };
  }
}

class SimulatedFile implements File {
  readonly #path: string;
  readonly #inode: SimulatedInode;
  readonly #calls: Calls;
  #closed = false;

  constructor(path: string, inode: SimulatedInode, calls: Calls) {
    this.#path = path;
    this.#inode = inode;
    this.#calls = calls;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#check();
    const { disk } = this.#calls;
    const bytes = Buffer.concat(chunks);
    const part = () => this.#inode.write(position, bytes.subarray(0, disk.random.below(bytes.length + 1)));
    await this.#calls.change(
      'write',
      this.#path,
      () => {
        const room = disk.capacity - disk.usedBytes - Math.max(0, position + bytes.length - this.#inode.size);
        if (room < 0) {
          this.#inode.write(position, bytes.subarray(0, Math.max(0, bytes.length + room)));
          throw full(this.#path);
        }
        this.#inode.write(position, bytes);
      },
      part,
    );
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    this.#check();
    return this.#calls.read(() => {
      if (this.#calls.disk.fails('read'))
        throw new BrokerError('storage-failed', `cannot read ${this.#path} (EIO, simulated): check the device`);
      return this.#inode.read(target, position);
    });
  }

  async sync(): Promise<void> {
    this.#check();
    const { random } = this.#calls.disk;
    const count = this.#inode.unsynced;
    await this.#calls.change(
      'sync',
      this.#path,
      () => this.#inode.sync(count),
      () => this.#inode.syncFailed(random),
    );
  }

  async truncate(size: number): Promise<void> {
    this.#check();
    await this.#calls.change('truncate', this.#path, () => this.#inode.truncate(size));
  }

  async size(): Promise<number> {
    this.#check();
    return this.#calls.read(() => this.#inode.size);
  }

  async close(): Promise<void> {
    this.#check();
    this.#closed = true;
    await this.#calls.read(() => {});
  }

  #check(): void {
    if (this.#closed) throw new BrokerError('storage-failed', `${this.#path} was closed`);
  }
}

function full(path: string): BrokerError {
  return new BrokerError('storage-full', `cannot write to ${path} (ENOSPC, simulated): free space on the device`);
}
