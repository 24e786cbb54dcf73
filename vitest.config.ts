import { defineConfig } from 'vitest/config';

// npm test: unit, contract and end-to-end tests. test:slow adds *.slow.ts (more seeds, longer runs),
// test:interop adds *.interop.ts (foreign suites and clients that need Java, Go, Python or a checkout).
interface Kind {
  readonly include: string[];
  /** Of one test: several times what it takes on a busy machine. */
  readonly testTimeout: number;
}
const kinds: Record<string, Kind> = {
  default: {
    include: ['src/**/*.test.ts', 'console/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 180_000,
  },
  slow: { include: ['test/**/*.slow.ts'], testTimeout: 1_800_000 },
  interop: { include: ['test/**/*.interop.ts'], testTimeout: 420_000 },
};

export default defineConfig({
  test: {
    include: [],
    ...kinds[process.env['SLUICE_TESTS'] ?? 'default'],
    hookTimeout: 60_000,
    // What is waited for by looking again and again: many times what it takes, as on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    // By hand a test that fails has failed. CI tries it once more, and says so: processes of others on a busy machine are not always in time.
    retry: Number(process.env['TEST_RETRIES'] ?? 0),
    pool: 'forks',
    maxWorkers: 2,
  },
});
