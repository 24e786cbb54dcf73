import { commitLogContract } from '../commit-log.contract.ts';
import { CommitLogMemory, MemoryCommitLog } from './memory.ts';

commitLogContract('memory', {
  fences: true,
  create: async () => {
    const memory = new CommitLogMemory();
    return { open: () => new MemoryCommitLog(memory), destroy: async () => {} };
  },
});
