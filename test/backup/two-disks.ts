import type { FileSystem } from '../../src/environment/environment.ts';
import type { SimulatedDisk } from '../../src/environment/simulated-files.ts';

export const BACKUPS = '/backups';

/** One file system with two disks in it: that of backups below `/backups`, that of the broker everywhere else. */
export function twoDisks(data: SimulatedDisk, backups: SimulatedDisk): FileSystem {
  const [own, others] = [data.files(), backups.files()];
  const of = (path: string) => (path.startsWith(BACKUPS) ? others : own);
  return {
    open: (path, mode) => of(path).open(path, mode),
    list: (directory) => of(directory).list(directory),
    makeDirectory: (directory) => of(directory).makeDirectory(directory),
    rename: (from, to) => of(from).rename(from, to),
    remove: (path) => of(path).remove(path),
    removeDirectory: (directory) => of(directory).removeDirectory(directory),
    syncDirectory: (directory) => of(directory).syncDirectory(directory),
    freeBytes: (directory) => of(directory).freeBytes(directory),
    lock: (directory) => of(directory).lock(directory),
  };
}
