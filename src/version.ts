import { createRequire } from 'node:module';

/** This package's. */
export const VERSION: string = (createRequire(import.meta.url)('../package.json') as { version: string }).version;
