import { spawnSync } from 'node:child_process';

/** Debian's Python has Debian's python3-confluent-kafka; another Python in front of it in PATH has not. */
export const PYTHON = '/usr/bin/python3';

function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Says once what is skipped, and how to have it run. */
function available(what: string, found: boolean): boolean {
  if (!found) process.stderr.write(`skipped: tests with ${what}: it is not installed (Debian package)\n`);
  return found;
}

export const hasKcat = available('kcat', works('kcat', '-V'));
export const hasConfluent = available('python3-confluent-kafka', works(PYTHON, '-c', 'import confluent_kafka'));
