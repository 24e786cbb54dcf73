import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Outside version control, and kept from run to run. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/python/', import.meta.url));

/** What is missing on this machine to run Python programs with packages; undefined when nothing is. */
export function whatPythonLacks(): string | undefined {
  const found = spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' });
  return found.status === 0 ? undefined : 'there is no python3 with venv';
}

/** A Python that has these packages (`name==version`); installed by pip the first time. Rejects with pip's words. */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const folder = join(CACHE, packages.join('+'));
  const python = join(folder, 'bin', 'python');
  if (!existsSync(folder)) {
    await mkdir(CACHE, { recursive: true });
    const made = await mkdtemp(join(CACHE, 'installing-'));
    try {
      await run('python3', ['-m', 'venv', made]);
      await run(join(made, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
      // All of it or nothing, whoever stops in the middle; a Python finds its packages from where it is.
      await rename(made, folder).catch((error: NodeJS.ErrnoException) => {
        // Another test file has been faster.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  }
  return python;
}

/** Runs a program to its end; answers what it wrote on standard output. Rejects with what it wrote elsewhere when it fails or hangs. */
export async function runPython(python: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(python, args, { timeout: 60_000 });
  return stdout;
}
