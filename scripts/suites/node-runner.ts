import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './child.ts';
import { type Only, SEPARATOR, type SuiteRun, type TestOutcome } from './suite.ts';

const REPORTER = new URL('node-reporter.ts', import.meta.url).href;

export interface NodeTests {
  /** From the checkout. */
  readonly files: readonly string[];
  /** Node's, for the process of each file. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How long one test may take. */
  readonly testLimitMs: number;
}

/** Runs test files of a checkout by Node's own runner, one after the other, each in a process of its own. */
export async function runNodeTests(
  { checkout, directory, only, signal }: SuiteRun,
  { files, options = [], env = {}, testLimitMs }: NodeTests,
): Promise<readonly TestOutcome[]> {
  const wanted = files.filter((file) => isWanted(file, only));
  if (wanted.length === 0) return [];
  const log = join(directory, 'runner.log');
  const outcomes: TestOutcome[] = [];
  for (const [i, file] of wanted.entries()) {
    const report = join(directory, `report-${i}.jsonl`);
    await writeFile(report, '');
    const runner = [`--test-reporter=${REPORTER}`, `--test-timeout=${testLimitMs}`, '--test-force-exit'];
    await runToEnd(process.execPath, [...options, ...runner, file], {
      cwd: checkout,
      env: { ...process.env, ...env, SLUICE_SUITE_REPORT: report, SLUICE_SUITE_FILE: file },
      log,
      signal,
    });
    const lines = (await readFile(report, 'utf8')).split('\n').filter((line) => line !== '');
    outcomes.push(...lines.map((line) => JSON.parse(line) as TestOutcome));
  }
  if (outcomes.length === 0) throw new Error(`no test was run:\n${await readFile(log, 'utf8')}`);
  return outcomes;
}

function isWanted(file: string, only: Only | undefined): boolean {
  if (only?.file !== undefined) return file.includes(only.file);
  if (only?.names === undefined) return true;
  return Array.from(only.names).some((name) => name.split(SEPARATOR)[0] === file);
}
