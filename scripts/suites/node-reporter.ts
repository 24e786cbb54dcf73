import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { SEPARATOR, type TestOutcome } from './suite.ts';

/** Between the names of a test and of those that it is in. */
const INSIDE = ' > ';
const MAX_REASON = 300;

const { SLUICE_SUITE_REPORT: report = '', SLUICE_SUITE_FILE: file = '' } = process.env;

/**
 * What became of each test, for Node's own runner: appended to the file SLUICE_SUITE_REPORT, one JSON object a line, at once,
 * for the process may be made to end as soon as the last test has.
 */
async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** Those that are under way, outermost first. */
  const names: string[] = [];
  const note = (name: string, nesting: number, failure: string | undefined) => {
    const full = `${relative(process.cwd(), file)}${SEPARATOR}${[...names.slice(0, nesting), name].join(INSIDE)}`;
    const outcome: TestOutcome = {
      name: full.replaceAll(/\s+/g, ' '),
      passed: failure === undefined,
      reason: failure?.replaceAll(/\s+/g, ' ').slice(0, MAX_REASON) ?? '',
    };
    appendFileSync(report, `${JSON.stringify(outcome)}\n`);
  };
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      names.length = data.nesting;
      names.push(data.name);
    } else if (type === 'test:pass' && !data.skip && !data.todo && data.details.type !== 'suite') {
      note(data.name, data.nesting, undefined);
    } else if (type === 'test:fail' && !data.skip && !data.todo) {
      const { error, type: kind } = data.details;
      // A suite fails with its tests, unless it is what comes before or after them.
      if (kind === 'suite' && 'failureType' in error && error.failureType === 'subtestsFailed') continue;
      note(
        data.name,
        data.nesting,
        error.cause instanceof Error ? error.cause.message : String(error.cause ?? error.message),
      );
    }
  }
}

// biome-ignore lint/style/noDefaultExport: Node takes a reporter by its default export.
export default reporter;
