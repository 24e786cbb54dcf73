import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PYTHON } from '../../kafka/clients/available.ts';
import { programClient } from './program.ts';

export const hasPika = spawnSync(PYTHON, ['-c', 'import pika'], { stdio: 'ignore' }).status === 0;
if (!hasPika) process.stderr.write('skipped: tests with python3-pika: it is not installed (Debian package)\n');

export const PIKA_PROGRAM = fileURLToPath(new URL('tutorials.py', import.meta.url));

/** Debian's pika, each run a process of its own. */
export const pika = programClient('pika', PYTHON, [PIKA_PROGRAM]);
