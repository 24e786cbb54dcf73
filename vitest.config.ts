import { defineConfig } from 'vitest/config';

// npm test: unit, contract and end-to-end tests. test:slow adds *.slow.ts (more seeds, longer runs),
// test:interop adds *.interop.ts (foreign suites and clients that need Java, Go, Python or a checkout).
const kinds: Record<string, string[]> = {
  default: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
  slow: ['test/**/*.slow.ts'],
  interop: ['test/**/*.interop.ts'],
};

export default defineConfig({
  test: {
    include: kinds[process.env['SLUICE_TESTS'] ?? 'default'] ?? [],
    testTimeout: process.env['SLUICE_TESTS'] ? 1_800_000 : 180_000,
    hookTimeout: 60_000,
    // By hand a test that fails has failed. CI tries it once more, and says so: processes of others on a busy machine are not always in time.
    retry: Number(process.env['TEST_RETRIES'] ?? 0),
    pool: 'forks',
    maxWorkers: 2,
  },
});
