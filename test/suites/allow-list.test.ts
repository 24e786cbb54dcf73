import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compare, readAllowList, writePassing } from '../../scripts/suites/allow-list.ts';

const passed = (name: string) => ({ name, passed: true, reason: '' });
const failed = (name: string) => ({ name, passed: false, reason: 'why' });
const everything = () => true;

async function folder(): Promise<URL> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-lists-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return pathToFileURL(`${path}/`);
}

describe('a run of a suite is held against the list', () => {
  const list = { passing: new Set(['kept', 'broken', 'gone']), uncounted: new Map([['unsteady', 'slow']]) };

  test('what was listed is kept, broken or missing; the rest is new or fails as before', () => {
    const outcomes = [passed('kept'), failed('broken'), passed('new'), failed('old'), failed('unsteady')];
    expect(compare(list, outcomes, everything)).toEqual({
      kept: ['kept'],
      broken: [failed('broken')],
      missing: ['gone'],
      unlisted: ['new'],
      failing: [failed('old')],
      uncounted: [failed('unsteady')],
    });
  });

  test('tests of one name pass together or not at all', () => {
    const both = [failed('kept'), passed('kept'), passed('broken'), failed('broken')];
    expect(compare(list, both, everything).broken).toEqual([failed('kept'), failed('broken')]);
  });

  test('what a run was not to include is not missed', () => {
    expect(compare(list, [passed('kept')], (name) => name === 'kept').missing).toEqual([]);
  });
});

describe('lists as files', () => {
  test('names come back, sorted and each once; a reason holds for the names below it', async () => {
    const lists = await folder();
    await writePassing(lists, 'suite', ['b', 'a', 'b', 'B']);
    await writeFile(new URL('suite.uncounted.txt', lists), '# slow\nx\ny\n# fast\nz\n');
    const { passing, uncounted } = await readAllowList(lists, 'suite');
    expect([...passing]).toEqual(['B', 'a', 'b']);
    expect([...uncounted]).toEqual([
      ['x', 'slow'],
      ['y', 'slow'],
      ['z', 'fast'],
    ]);
  });

  test('lists that are not there are empty', async () => {
    const { passing, uncounted } = await readAllowList(await folder(), 'suite');
    expect(passing.size + uncounted.size).toBe(0);
  });
});
