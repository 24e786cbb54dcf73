import { totalmem } from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Memory } from './environment.ts';

const WATCH_MS = 1000;

export const realMemory: Memory = {
  used() {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  total() {
    const constrained = process.constrainedMemory();
    const machine = totalmem();
    // Without a limit some systems answer 0, others a number that no machine has.
    return constrained > 0 && constrained < machine ? constrained : machine;
  },
  collect() {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    collect();
  },
  watch(callback) {
    const interval = setInterval(callback, WATCH_MS);
    interval.unref();
    return { cancel: () => clearInterval(interval) };
  },
};
