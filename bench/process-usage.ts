import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What the operating system says of a process; every figure is undefined where there is no /proc. */
export interface ProcessUsage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number | undefined;
  readonly residentBytes: number | undefined;
  readonly peakResidentBytes: number | undefined;
}

/** After the closing parenthesis of the name: the state is the first field, utime and stime are these (man 5 proc). */
const UTIME = 11;
const STIME = 12;

let ticksPerSecond: number | undefined;

export function processUsage(pid: number): ProcessUsage {
  const stat = read(`/proc/${pid}/stat`);
  const status = read(`/proc/${pid}/status`);
  return {
    cpuSeconds: stat === undefined ? undefined : cpuSeconds(stat),
    residentBytes: kilobytes(status, 'VmRSS'),
    peakResidentBytes: kilobytes(status, 'VmHWM'),
  };
}

function cpuSeconds(stat: string): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / ticksPerSecond;
}

function kilobytes(status: string | undefined, name: string): number | undefined {
  const match = status?.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'));
  return match ? Number(match[1]) * 1024 : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
