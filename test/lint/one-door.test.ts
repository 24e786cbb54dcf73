import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const PROJECT = new URL('../../', import.meta.url).pathname;

/** Lints files of the given names, with this content, by the project's own configuration. Answers what was found, by file. */
function lint(names: readonly string[], content: string): Map<string, string[]> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-lint-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const file of ['biome.json', 'scripts/outside-by-environment.grit'])
    cpSync(join(PROJECT, file), join(home, file));
  for (const name of names) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), content);
  }
  const biome = join(PROJECT, 'node_modules/@biomejs/biome/bin/biome');
  const { stdout } = spawnSync(
    process.execPath,
    [biome, 'lint', '--reporter=json', '--max-diagnostics=none', ...names],
    {
      cwd: home,
      encoding: 'utf8',
    },
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const found = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const { category, location } of diagnostics) found.get(location.path)?.push(category);
  return found;
}

const OUTSIDE = `
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
export const outside = [readFileSync, readFile, sleep];
export const times = [Date.now(), Date.now, new Date(), process.hrtime.bigint(), performance.now()];
export const chance = Math.random();
setTimeout(() => {}, 1);
setInterval(() => {}, 1);
`;

const INSIDE = `
import { join } from 'node:path';
import type { Clock } from '../environment/environment.ts';
export const moment = new Date(5).toISOString() + join('a', 'b');
export function wait(clock: Clock, socket: { setTimeout(ms: number): void }) {
  socket.setTimeout(1);
  return clock.setTimer(1, () => {});
}
`;

test('time, chance and files are reached through the environment, or the linter says so', () => {
  const found = lint(['src/broker/a.ts', 'src/cli/b.ts'], OUTSIDE);
  for (const categories of found.values()) {
    const counts = Object.fromEntries(
      Object.entries(Object.groupBy(categories, (name) => name)).map(([name, all]) => [name, all?.length]),
    );
    expect(counts).toEqual({
      plugin: 5,
      'lint/style/noRestrictedGlobals': 3,
      'lint/style/noRestrictedImports': 3,
    });
  }
});

test('the environment itself, tests and tools may', () => {
  const found = lint(
    [
      'src/environment/a.ts',
      'src/broker/a.test.ts',
      'src/broker/a.contract.ts',
      'test/a.ts',
      'bench/a.ts',
      'scripts/a.ts',
    ],
    OUTSIDE,
  );
  for (const categories of found.values()) expect(categories).toEqual([]);
});

test('what only looks alike is left alone', () => {
  expect(lint(['src/broker/a.ts'], INSIDE).get('src/broker/a.ts')).toEqual([]);
});
