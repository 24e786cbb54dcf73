import { configDefaults, defineConfig } from 'vitest/config';

// npm test: unit, contract and end-to-end tests. test:slow adds *.slow.ts (more seeds, longer runs),
// test:interop adds *.interop.ts (foreign suites and clients that need Java, Go, Python or a checkout).
interface Kind {
  readonly include: string[];
  /** Of one test: several times what it takes on a busy machine. */
  readonly testTimeout: number;
}
const kinds = {
  default: {
    include: ['src/**/*.test.ts', 'console/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 180_000,
  },
  slow: { include: ['test/**/*.slow.ts'], testTimeout: 1_800_000 },
  interop: { include: ['test/**/*.interop.ts'], testTimeout: 420_000 },
} satisfies Record<string, Kind>;
const chosen = process.env['SLUICE_TESTS'];
const kind: Kind = chosen === 'slow' ? kinds.slow : chosen === 'interop' ? kinds.interop : kinds.default;
const IN_BROWSER = 'test/console/**/*.test.ts';

export default defineConfig({
  test: {
    testTimeout: kind.testTimeout,
    hookTimeout: 60_000,
    // What is waited for by looking again and again: many times what it takes, as on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    // By hand a test that fails has failed. CI tries it once more, and says so: processes of others on a busy machine are not always in time.
    retry: Number(process.env['TEST_RETRIES'] ?? 0),
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'broker', include: kind.include, exclude: [...configDefaults.exclude, IN_BROWSER] },
      },
      // Each file loads the whole broker; these have nothing of their own that another could meet, and load it once.
      ...(kind === kinds.default
        ? [{ extends: true as const, test: { name: 'console', include: [IN_BROWSER], isolate: false } }]
        : []),
    ],
  },
});
