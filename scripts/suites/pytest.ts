import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './child.ts';
import { type Only, SEPARATOR, type SuiteRun, type TestOutcome } from './suite.ts';

/** Where a checkout has its dependencies. */
export const PYTHON = '.venv/bin/python';
const MAX_SHOWN = 4000;

export interface PytestOptions {
  /** Paths in the checkout. */
  readonly files: readonly string[];
  /** Of one test, by the plugin pytest-timeout. */
  readonly limitSeconds: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs files of tests by pytest, those of them that are wanted. */
export async function runPytest(
  { checkout, directory, only, signal }: SuiteRun,
  { files, limitSeconds, env }: PytestOptions,
): Promise<readonly TestOutcome[]> {
  const wanted = files.filter((file) => isWanted(file, only));
  if (wanted.length === 0) return [];
  const report = join(directory, 'report.xml');
  const log = join(directory, 'pytest.log');
  const options = [
    '-q',
    `--timeout=${limitSeconds}`,
    '--timeout-method=signal',
    `--junit-xml=${report}`,
    '-p',
    'no:cacheprovider',
  ];
  await runToEnd(join(checkout, PYTHON), ['-m', 'pytest', ...options, ...wanted], {
    cwd: checkout,
    env: { ...process.env, ...env },
    log,
    signal,
  });
  if (!existsSync(report))
    throw new Error(`pytest wrote no report:\n${(await readFile(log, 'utf8')).slice(-MAX_SHOWN)}`);
  return outcomes(await readFile(report, 'utf8'), files);
}

/**
 * What pytest writes for JUnit: `<testcase classname="tests.acceptance.FILE.CLASS" name="TEST" …>` with `<skipped …>`,
 * `<failure message="…">` or `<error message="…">` inside where it did not pass.
 */
function outcomes(xml: string, files: readonly string[]): TestOutcome[] {
  const found: TestOutcome[] = [];
  for (const [, attributes = '', inside = ''] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (inside.includes('<skipped')) continue;
    const classname = attribute(attributes, 'classname');
    const moduleOf = (file: string) => file.replace(/\.py$/, '').replaceAll('/', '.');
    const file = files.find((each) => `${classname}.`.startsWith(`${moduleOf(each)}.`)) ?? classname;
    const rest = classname.split('.').slice(moduleOf(file).split('.').length);
    const failure = /<(?:failure|error)\b([^>]*)>/.exec(inside)?.[1];
    found.push({
      name: `${file}${SEPARATOR}${[...rest, attribute(attributes, 'name')].join('.')}`,
      passed: failure === undefined,
      reason: failure === undefined ? '' : attribute(failure, 'message').replaceAll(/\s+/g, ' ').slice(0, 300),
    });
  }
  return found;
}

function attribute(text: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return value.replaceAll(/&(?:(\w+)|#(\d+));/g, (_all, entity: string | undefined, code: string | undefined) =>
    entity === undefined ? String.fromCodePoint(Number(code)) : (entities[entity] ?? ''),
  );
}

function isWanted(file: string, only: Only | undefined): boolean {
  if (only?.file !== undefined) return file.includes(only.file);
  if (only?.names === undefined) return true;
  return Array.from(only.names).some((name) => name.split(SEPARATOR)[0] === file);
}
