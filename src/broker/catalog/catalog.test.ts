import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualCommitLog, ShardHome } from '../../../test/storage/fixture.ts';
import { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import { Catalog } from './catalog.ts';
import type { CatalogEvent } from './state.ts';

let commitLog: ManualCommitLog;
let shard: Shard;
let catalog: Catalog;
let log: string[];

beforeEach(async () => {
  const home = new ShardHome();
  commitLog = new ManualCommitLog();
  shard = await home.open({}, commitLog);
  catalog = await Catalog.open({ shard, now: () => 0, onTrouble: () => {} });
  log = [];
});
afterEach(() => shard.close());

const turn = () => new Promise((resolve) => setImmediate(resolve));
const event: CatalogEvent = { type: 'producer-ids-reserved', next: 1 };

function change(name: string, makes?: string[], needs: string[] = []) {
  const decide = () => {
    log.push(`decide ${name}`);
    return [event];
  };
  const follow = () => void log.push(`follow ${name}`);
  return catalog.change(decide, follow, makes && { makes, needs });
}

test('changes that have nothing to do with each other share an append', async () => {
  const changes = [change('a', ['a']), change('b', ['b']), change('c', ['c'], ['x'])];
  await turn();
  expect(commitLog.pending).toHaveLength(1);
  expect(log).toEqual(['decide a', 'decide b', 'decide c']);
  commitLog.persist();
  await Promise.all(changes);
  expect(log.slice(3)).toEqual(['follow a', 'follow b', 'follow c']);
});

test.each<[what: string, makes: string[] | undefined, needs: string[]]>([
  ['makes the same', ['a'], []],
  ['needs it', ['b'], ['a']],
  ['may have to do with anything', undefined, []],
])(
  'one that %s waits until what was made before is there, and those after it wait too',
  async (_what, makes, needs) => {
    const changes = [change('a', ['a']), change('b', makes, needs), change('c', ['c'])];
    await turn();
    expect(log).toEqual(['decide a']);
    commitLog.persist();
    await turn();
    expect(log.slice(0, 3)).toEqual(['decide a', 'follow a', 'decide b']);
    while (commitLog.pending.length > 0) {
      commitLog.persist();
      await turn();
    }
    await Promise.all(changes);
    expect(log).toContain('follow c');
  },
);

test('one that is refused keeps those that go with it from nothing', async () => {
  const refused = catalog.change(
    () => {
      throw new BrokerError('not-found', 'no');
    },
    () => {},
    { makes: ['x'] },
  );
  const made = change('a', ['a']);
  await expect(refused).rejects.toMatchObject({ code: 'not-found' });
  commitLog.persist();
  await made;
});

test('an append that fails fails all that share it, and what waits is decided anew', async () => {
  const changes = [change('a', ['a']), change('b', ['b'])];
  await turn();
  const later = change('c', ['a']);
  commitLog.fail(new BrokerError('storage-failed', 'the device is gone'));
  for (const each of changes) await expect(each).rejects.toMatchObject({ code: 'storage-failed' });
  await turn();
  commitLog.persist();
  await later;
  expect(log).toEqual(['decide a', 'decide b', 'decide c', 'follow c']);
});
