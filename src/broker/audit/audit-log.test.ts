import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { Act, AuditEntry, Principal } from './act.ts';
import { AuditLog, type AuditSettings, DEFAULT_AUDIT_SETTINGS } from './audit-log.ts';

const ANNA: Principal = { protocol: 'http', user: 'anna', address: '10.0.0.1' };
let home: ShardHome;
let shard: Shard;
let clock: VirtualClock;
let trouble: string[];
let audit: AuditLog;

function open(settings: Partial<AuditSettings> = {}): AuditLog {
  return new AuditLog({
    shard,
    clock,
    settings: { ...DEFAULT_AUDIT_SETTINGS, ...settings },
    onTrouble: (_, what) => trouble.push(what),
  });
}

beforeEach(async () => {
  home = new ShardHome();
  shard = await home.open();
  clock = new VirtualClock(1_000);
  trouble = [];
  audit = open();
});
afterEach(() => shard.close());

const act = (object: string, more: Partial<Act> = {}): Act => ({
  act: 'queue.delete',
  object,
  outcome: 'done',
  ...more,
});
const all = () => true;

async function rest(): Promise<void> {
  while (!audit.idle) await new Promise((resolve) => setImmediate(resolve));
}

async function objects(question: Partial<Parameters<AuditLog['read']>[0]> = {}): Promise<string[]> {
  await rest();
  return (await audit.read({ matches: all, limit: 100, ...question })).entries.map(({ object }) => object);
}

test('what was recorded is there after a restart, the newest first', async () => {
  audit.record(ANNA, act('a', { virtualHost: '/', details: { durable: true } }));
  await clock.advance(5);
  audit.record({ protocol: 'amqp' }, act('b', { outcome: 'refused', reason: 'no' }));
  await audit.close();
  await shard.close();
  shard = await home.open();
  audit = open();
  expect(await audit.read({ matches: all, limit: 10 })).toEqual({
    entries: [
      { id: 1, time: 1_005, protocol: 'amqp', act: 'queue.delete', object: 'b', outcome: 'refused', reason: 'no' },
      {
        ...{ id: 0, time: 1_000, ...ANNA, act: 'queue.delete', object: 'a', virtualHost: '/', outcome: 'done' },
        details: { durable: true },
      },
    ],
    next: undefined,
  });
});

test('it is read by pages, by what matches and by time', async () => {
  for (let i = 0; i < 1_000; i++) {
    audit.record(ANNA, act(`q-${i}`));
    await clock.advance(1);
    if (i % 7 === 0) await rest();
  }
  await rest();
  const seen: string[] = [];
  let before: number | undefined;
  do {
    const page = await audit.read({ matches: all, limit: 300, before });
    seen.push(...page.entries.map(({ object }) => object));
    before = page.next;
  } while (before !== undefined);
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => `q-${999 - i}`));
  const matches = ({ object }: AuditEntry) => object.endsWith('00');
  expect(await objects({ matches, limit: 3 })).toEqual(['q-900', 'q-800', 'q-700']);
  expect(await objects({ since: 1_995, until: 1_997 })).toEqual(['q-997', 'q-996', 'q-995']);
  expect(await objects({ until: 999 })).toEqual([]);
  expect(await objects({ since: 5_000 })).toEqual([]);
});

test('the oldest go by size and by age', async () => {
  audit = open({ retentionBytes: 4_096, retentionMs: 10_000 });
  for (let i = 0; i < 100; i++) {
    audit.record(ANNA, act(`q-${i}`));
    await rest();
  }
  await audit.retain();
  const left = await objects();
  expect(left[0]).toBe('q-99');
  expect(left.length).toBeLessThan(40);
  await clock.advance(20_000);
  audit.record(ANNA, act('late'));
  await rest();
  await audit.retain();
  expect(await objects()).toEqual(['late']);
});

describe('what is no news', () => {
  test('logins of the same and what fails again are counted, and told of with the next', async () => {
    const login = act('', { act: 'login' });
    const refused = act('q', { outcome: 'refused' });
    for (let i = 0; i < 5; i++) {
      audit.record(ANNA, login);
      audit.record(ANNA, refused);
      audit.record({ ...ANNA, user: 'bert' }, login);
    }
    expect(await objects()).toHaveLength(3);
    await clock.advance(60_000);
    audit.record(ANNA, refused);
    audit.record(ANNA, login);
    await rest();
    expect((await audit.read({ matches: all, limit: 1 })).entries).toMatchObject([{ outcome: 'refused', repeated: 4 }]);
    await clock.advance(3_600_000);
    audit.record(ANNA, login);
    await rest();
    expect((await audit.read({ matches: all, limit: 1 })).entries).toMatchObject([{ act: 'login', repeated: 5 }]);
  });

  test('what was done is told of each time', async () => {
    for (let i = 0; i < 5; i++) audit.record(ANNA, act('q'));
    expect(await objects()).toHaveLength(5);
  });
});

test('what clients can make long is cut', async () => {
  audit.record({ ...ANNA, user: 'x'.repeat(5_000) }, act('y'.repeat(5_000), { details: { z: 'z'.repeat(5_000) } }));
  await rest();
  const { entries } = await audit.read({ matches: all, limit: 1 });
  expect(JSON.stringify(entries).length).toBeLessThan(3_000);
});

test('a disk that takes nothing delays entries, and then costs the newest', async () => {
  const append = shard.append.bind(shard);
  shard.append = () => {
    throw new BrokerError('storage-full', 'full');
  };
  audit.record(ANNA, act('first'));
  for (let i = 0; i < 10_100; i++) audit.record(ANNA, act('q'));
  await rest();
  expect(trouble).toEqual(['10000 entries of the audit log wait for the disk, 101 are lost']);
  shard.append = append;
  await clock.advance(1_000);
  const found = await objects({ limit: 20_000 });
  expect(found).toHaveLength(10_000);
  expect(found.at(-1)).toBe('first');
});
