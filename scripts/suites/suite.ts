import type { SettingsInput } from '../../src/config/index.ts';
import type { SuiteUser } from './users.ts';

/** Stands between a test's file and its full name there. */
export const SEPARATOR = ' › ';

/** What became of one test of a suite. */
export interface TestOutcome {
  /** `FILE › FULL NAME`. */
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed, in one line. */
  readonly reason: string;
}

/** One run of a suite, or of some of its tests. */
export interface SuiteRun {
  /** The folder of the suite's repository, with its dependencies installed. */
  readonly checkout: string;
  /** An empty folder, gone after the run. */
  readonly directory: string;
  /** Whether there is a broker to connect to; if not, tests that do not disturb each other may run at the same time. */
  readonly broker: boolean;
  /** Run these tests alone, as far as the suite can tell tests apart: others may run with them. */
  readonly only?: Only;
  /** When it aborts, the run ends all its processes and rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface Only {
  /** Files whose path contains this text. */
  readonly file?: string;
  /** Tests by name. */
  readonly names?: ReadonlySet<string>;
}

/** Somebody else's test suite, and what it wants of the broker that it runs against. */
export interface Suite {
  readonly name: string;
  /** A file of its repository, by which a checkout is told from any other folder. */
  readonly marker: string;
  /** What is to be installed in a checkout, and how. */
  readonly dependencies: { readonly path: string; readonly command: string };
  /** Ports that its tests have written into them. */
  readonly listeners: readonly string[];
  /** Likewise, with TLS: left out where no certificate can be made. */
  readonly tlsListeners: readonly string[];
  /** What its tests take for granted beside the listeners. */
  readonly settings: SettingsInput;
  /** Whom its tests log in as. */
  readonly users?: readonly SuiteUser[];
  /** How long a run may take, in milliseconds. */
  readonly timeLimitMs: number;
  /** Runs it: skipped tests have no outcome. Rejects when it came to no end. */
  run(run: SuiteRun): Promise<readonly TestOutcome[]>;
}
