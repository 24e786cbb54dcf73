import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Lets the heap grow to three times what a collection left before the next one. V8 counts the buffers that lie outside its
 * heap too, and would, with a heap as small as a broker's, go over all of it for each few dozen megabytes that are received:
 * measured with 128 KiB produce requests, that is a third of the broker's CPU time. For a process of the broker's own only,
 * and after all modules are loaded: what Node keeps compiled is good for the flags that it was compiled under.
 */
export function collectLessOften(): void {
  v8.setFlagsFromString('--heap-growing-percent=200');
}

/** Gives back what starting up has used and nothing needs any more: some 12 MB of an idle broker's 95. */
export function releaseMemory(): void {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
