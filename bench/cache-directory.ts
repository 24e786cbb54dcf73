import { fileURLToPath } from 'node:url';

/** What benches keep: on the file system that the repository is on, as a broker's data would be, and out of git's sight. */
export const CACHE_DIRECTORY = fileURLToPath(new URL('../node_modules/.cache/sluice-bench', import.meta.url));
