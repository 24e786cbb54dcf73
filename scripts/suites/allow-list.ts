import { readFile, writeFile } from 'node:fs/promises';
import type { TestOutcome } from './suite.ts';

/** The tests of a suite that must go on passing, and those that tell nothing of the broker: two files, one name per line. */
export interface AllowList {
  readonly passing: ReadonlySet<string>;
  /** Those that pass or fail by chance, or for reasons that lie elsewhere: the line with a `#` above them says why. */
  readonly uncounted: ReadonlyMap<string, string>;
}

/** How a run went, measured by the list. */
export interface Comparison {
  /** In the list, and passed. */
  readonly kept: readonly string[];
  /** In the list, and failed. */
  readonly broken: readonly TestOutcome[];
  /** In the list, and not run: renamed, or the list is of another version. */
  readonly missing: readonly string[];
  /** Passed, and in neither list. */
  readonly unlisted: readonly string[];
  /** Failed, and in neither list. */
  readonly failing: readonly TestOutcome[];
  readonly uncounted: readonly TestOutcome[];
}

const passingFile = (folder: URL, suite: string) => new URL(`${suite}.passing.txt`, folder);
const uncountedFile = (folder: URL, suite: string) => new URL(`${suite}.uncounted.txt`, folder);

export async function readAllowList(folder: URL, suite: string): Promise<AllowList> {
  const passing = new Set(await readLines(passingFile(folder, suite)));
  const uncounted = new Map<string, string>();
  let reason = '';
  for (const line of await readLines(uncountedFile(folder, suite))) {
    if (line.startsWith('#')) reason = line.slice(1).trim();
    else uncounted.set(line, reason);
  }
  return { passing, uncounted };
}

export async function writePassing(folder: URL, suite: string, names: Iterable<string>): Promise<void> {
  // By code units: the same order whatever the locale.
  const lines = [...new Set(names)].sort();
  await writeFile(passingFile(folder, suite), lines.map((line) => `${line}\n`).join(''));
}

/** `mayRun` says of a listed test whether this run was to include it. */
export function compare(
  { passing, uncounted }: AllowList,
  outcomes: readonly TestOutcome[],
  mayRun: (name: string) => boolean,
): Comparison {
  const tests = byName(outcomes);
  const [aside, counted] = part([...tests.values()], ({ name }) => uncounted.has(name));
  const [listed, others] = part(counted, ({ name }) => passing.has(name));
  const [kept, broken] = part(listed, ({ passed }) => passed);
  const [unlisted, failing] = part(others, ({ passed }) => passed);
  return {
    kept: names(kept),
    broken,
    missing: [...passing].filter((name) => !tests.has(name) && !uncounted.has(name) && mayRun(name)),
    unlisted: names(unlisted),
    failing,
    uncounted: aside,
  };
}

function part(tests: readonly TestOutcome[], first: (test: TestOutcome) => boolean): [TestOutcome[], TestOutcome[]] {
  return [tests.filter(first), tests.filter((test) => !first(test))];
}

function names(tests: readonly TestOutcome[]): string[] {
  return tests.map(({ name }) => name);
}

/** Suites give several tests one name: they pass together or not at all. */
export function byName(outcomes: readonly TestOutcome[]): ReadonlyMap<string, TestOutcome> {
  const tests = new Map<string, TestOutcome>();
  for (const outcome of outcomes) if (tests.get(outcome.name)?.passed !== false) tests.set(outcome.name, outcome);
  return tests;
}

/** A list that is not there yet is empty. */
async function readLines(file: URL): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
