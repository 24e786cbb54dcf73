import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEnvironment } from '../../environment/real.ts';
import { SimulatedDisk } from '../../environment/simulated-files.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { commitLogContract } from '../commit-log.contract.ts';
import { DiskCommitLog, type DiskCommitLogOptions } from './disk.ts';

function contract(name: string, options: Partial<DiskCommitLogOptions>): void {
  commitLogContract(name, {
    create: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'sluice-commit-log-'));
      return {
        open: () => new DiskCommitLog({ environment: realEnvironment(), directory, ...options }),
        destroy: () => rm(directory, { recursive: true }),
      };
    },
  });
}

contract('disk', {});
contract('disk, small files', { fileBytes: 1000, maxWriteBytes: 5000 });
contract('disk, synced at intervals', { flush: { intervalMs: 5 } });
contract('disk, synced by the system', { flush: 'os' });

for (const fileBytes of [64 * 1024 * 1024, 700]) {
  commitLogContract(`disk, simulated, files of ${fileBytes} bytes`, {
    create: async () => {
      const disk = new SimulatedDisk(fileBytes);
      const environment = () => ({ files: disk.files(), clock: new VirtualClock(), random: disk.random });
      return {
        open: () => new DiskCommitLog({ environment: environment(), directory: '/log', fileBytes }),
        crash: async () => disk.crash(),
        destroy: async () => {},
      };
    },
  });
}
