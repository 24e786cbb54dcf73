import { segmentStoreContract } from '../segment-store.contract.ts';
import { MemorySegmentStore } from './memory.ts';

segmentStoreContract('memory', async () => {
  const store = new MemorySegmentStore();
  return { open: async () => store, destroy: async () => {} };
});
