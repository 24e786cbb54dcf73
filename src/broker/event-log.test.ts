import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_A, ManualCommitLog, ShardHome } from '../../test/storage/fixture.ts';
import { BrokerError } from '../errors.ts';
import type { Shard } from '../storage/index.ts';
import { type EventLogOptions, jsonCodec, ShardEventLog, type StateMachine } from './event-log.ts';

type State = { sum: number; seen: string[] };
type Event = { readonly add: number; readonly padding?: string };

const machine: StateMachine<State, Event> = {
  initial: () => ({ sum: 0, seen: [] }),
  apply(state, { add }) {
    state.sum += add;
    state.seen.push(String(add));
  },
  toSnapshot: (state) => state,
  fromSnapshot: (snapshot) => structuredClone(snapshot) as State,
};

/** Large enough that a few of them set a snapshot off. */
const PADDING = 'p'.repeat(400_000);

describe('an event log', () => {
  let home: ShardHome;
  let shard: Shard;
  let options: EventLogOptions<State, Event>;
  beforeEach(async () => {
    home = new ShardHome();
    await start();
  });
  afterEach(() => shard.close());

  async function start(commitLog?: ManualCommitLog): Promise<void> {
    shard = await home.open({}, commitLog);
    options = {
      shard,
      logId: LOG_A,
      machine,
      codec: jsonCodec(),
      now: () => 0,
      onTrouble: (error, what) => home.troubles.push({ error, what }),
    };
  }

  it('applies events when they are durable, in order, and again after a restart', async () => {
    const log = await ShardEventLog.open(options);
    await Promise.all([log.append([{ add: 1 }, { add: 2 }]), log.append([]), log.append([{ add: 3 }])]);
    expect(log.state).toEqual({ sum: 6, seen: ['1', '2', '3'] });
    await log.close();
    await shard.close();
    await start();
    expect((await ShardEventLog.open(options)).state).toEqual({ sum: 6, seen: ['1', '2', '3'] });
  });

  it('applies nothing of what failed', async () => {
    const commitLog = new ManualCommitLog();
    await shard.close();
    await start(commitLog);
    const log = await ShardEventLog.open(options);
    const lost = log.append([{ add: 1 }]);
    commitLog.fail(new BrokerError('storage-failed', 'the device is gone'));
    await expect(lost).rejects.toMatchObject({ code: 'storage-failed' });
    const kept = log.append([{ add: 2 }]);
    expect(log.state.sum).toBe(0);
    commitLog.persist();
    await kept;
    expect(log.state.sum).toBe(2);
  });

  it('starts from its snapshot and the events after it, and trims those before', async () => {
    const log = await ShardEventLog.open(options);
    for (let i = 0; i < 4; i++) await log.append([{ add: i, padding: PADDING }]);
    await log.close();
    expect(shard.log(LOG_A).startOffset).toBe(3);
    await log.append([{ add: 10 }]);
    await shard.close();
    await start();
    const again = await ShardEventLog.open(options);
    expect(again.state).toEqual({ sum: 16, seen: ['0', '1', '2', '3', '10'] });
    await again.append([{ add: 20 }]);
    await shard.close();
    await start();
    expect((await ShardEventLog.open(options)).state.sum).toBe(36);
  });

  it('goes on when a snapshot cannot be taken', async () => {
    const log = await ShardEventLog.open(options);
    home.store.before = (operation) => {
      if (operation === 'put') throw new BrokerError('storage-full', 'no space');
    };
    for (let i = 0; i < 4; i++) await log.append([{ add: i, padding: PADDING }]);
    await log.close();
    expect(home.troubles.at(-1)?.error.code).toBe('storage-full');
    expect(shard.log(LOG_A).startOffset).toBe(0);
    expect(log.state.sum).toBe(6);
  });

  it('loses no event to come when its log lost what the snapshot has', async () => {
    const log = await ShardEventLog.open(options);
    for (let i = 0; i < 4; i++) await log.append([{ add: i, padding: PADDING }]);
    await log.close();
    await shard.close();
    // The whole commit log is gone, as after a power loss with `flush: os`; the snapshot was synced.
    home.memory.groups = [];
    await start();
    const again = await ShardEventLog.open(options);
    expect(again.state.sum).toBe(3);
    await again.append([{ add: 100 }]);
    await shard.close();
    await start();
    expect((await ShardEventLog.open(options)).state.sum).toBe(103);
  });

  it('refuses to start when events are missing or the snapshot is damaged', async () => {
    const log = await ShardEventLog.open(options);
    for (let i = 0; i < 4; i++) await log.append([{ add: i, padding: PADDING }]);
    await log.close();
    await shard.saveObject(shard.log(LOG_A), 'snapshot', [Buffer.from('{"offset":1,"state":{}}')]);
    await expect(ShardEventLog.open(options)).rejects.toMatchObject({ code: 'storage-damaged' });
    await shard.saveObject(shard.log(LOG_A), 'snapshot', [Buffer.from('{"off')]);
    await expect(ShardEventLog.open(options)).rejects.toMatchObject({ code: 'storage-damaged' });
  });

  it('refuses to start when an event is damaged', async () => {
    const log = await ShardEventLog.open(options);
    await log.append([{ add: 1, padding: 'x'.repeat(100) }]);
    await shard.flush();
    await shard.close();
    const [name = ''] = (await home.store.list(LOG_A)).filter((object) => object.endsWith('.log'));
    const bytes = await home.store.get(name, 0, 1000);
    bytes[150] = (bytes[150] ?? 0) ^ 1;
    await home.store.put(name, [bytes]);
    await start();
    await expect(ShardEventLog.open(options)).rejects.toMatchObject({ code: 'corrupt-message' });
  });
});
