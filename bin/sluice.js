#!/usr/bin/env node
// The command. In the repository it runs the TypeScript as it is; in the published package, what was built from it.
import { existsSync } from 'node:fs';
import module from 'node:module';

module.enableCompileCache?.();
const built = new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(existsSync(built) ? built.href : new URL('../src/cli/main.ts', import.meta.url).href);
await main(process.argv.slice(2));
