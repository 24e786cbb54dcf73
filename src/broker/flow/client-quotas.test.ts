import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import type { Shard } from '../../storage/index.ts';
import { ClientQuotas } from './client-quotas.ts';
import { RateMeter } from './rate-meter.ts';

let home: ShardHome;
let shard: Shard;
let clock: VirtualClock;
let quotas: ClientQuotas;

beforeEach(async () => {
  home = new ShardHome();
  clock = new VirtualClock(0);
  shard = await home.open();
  quotas = await open();
});
afterEach(() => shard.close());

const open = () =>
  ClientQuotas.open({
    ...{ shard, clock, now: () => 0 },
    onTrouble: (error, what) => home.troubles.push({ error, what }),
  });
const used = (user: string, clientId: string, bytes: number) =>
  quotas.record('producer_byte_rate', user, clientId, bytes);
const limit = (entity: object, producer_byte_rate: number | null) =>
  quotas.alter([{ entity, values: { producer_byte_rate } }]);

describe('a rate', () => {
  it('is no more than it may be, on average, of a client that waits when it is told to', () => {
    const use = fc.tuple(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 0, max: 30_000 }));
    fc.assert(
      fc.property(fc.array(use, { maxLength: 300 }), (uses) => {
        const meter = new RateMeter();
        let now = 0;
        let total = 0;
        for (const [amount, pauseMs] of uses) {
          now += pauseMs;
          const waitMs = meter.record(amount, 1000, now);
          total += amount;
          now += waitMs;
          // Ahead of the average may be what comes at once: ten seconds' worth.
          expect(total).toBeLessThanOrEqual(now + 10_000);
          if (waitMs > 0) expect(meter.isIdle(now + 10_000 - 1)).toBe(false);
        }
      }),
    );
  });

  it('forgets what is used up', () => {
    const meter = new RateMeter();
    expect(meter.record(100_000, 1000, 500)).toBe(90_000);
    expect(meter.isIdle(100_499)).toBe(false);
    expect(meter.isIdle(100_500)).toBe(true);
    expect(meter.record(10_000, 1000, 100_500)).toBe(0);
  });
});

describe('quotas', () => {
  it('hold nobody up when there are none, or when they are kept', async () => {
    expect(quotas.isEmpty).toBe(true);
    expect(used('anna', 'app', 1e9)).toBe(0);
    await limit({ user: 'anna' }, 1000);
    expect(used('anna', 'app', 10_000)).toBe(0);
    expect(used('anna', 'app', 10_000)).toBe(10_000);
    expect(used('berta', 'app', 1e9)).toBe(0);
  });

  it('count from the most special to the most general', async () => {
    const levels: [object, number][] = [
      [{ 'client-id': null }, 1000],
      [{ 'client-id': 'app' }, 2000],
      [{ user: null }, 3000],
      [{ user: null, 'client-id': null }, 4000],
      [{ user: null, 'client-id': 'app' }, 5000],
      [{ user: 'anna' }, 6000],
      [{ user: 'anna', 'client-id': null }, 7000],
      [{ user: 'anna', 'client-id': 'app' }, 8000],
    ];
    for (const [entity, rate] of levels) {
      await limit(entity, rate);
      await clock.advance(600_000);
      // 20 seconds' worth, of which 10 are allowed at once.
      expect(used('anna', 'app', rate * 20)).toBe(10_000);
    }
  });

  it('are shared by those who have them together', async () => {
    await limit({ user: null }, 1000);
    used('anna', 'one', 10_000);
    expect(used('anna', 'two', 1000)).toBe(1000);
    expect(used('berta', 'one', 1000)).toBe(0);
    await limit({ user: null, 'client-id': null }, 1000);
    used('carla', 'one', 10_000);
    expect(used('carla', 'two', 10_000)).toBe(0);
  });

  it('last, and go when they are removed', async () => {
    await limit({ user: 'anna' }, 1000);
    await quotas.alter([{ entity: { ip: null }, values: { connection_creation_rate: 5 } }]);
    await quotas.alter([{ entity: { user: 'anna' }, values: { request_percentage: 12.5 } }]);
    await quotas.close();
    await shard.close();
    shard = await home.open();
    quotas = await open();
    expect([...quotas.all()]).toEqual([
      { entity: { user: 'anna' }, values: { producer_byte_rate: 1000, request_percentage: 12.5 } },
      { entity: { ip: null }, values: { connection_creation_rate: 5 } },
    ]);
    await quotas.alter([
      { entity: { user: 'anna' }, values: { producer_byte_rate: null, request_percentage: null } },
      { entity: { ip: null }, values: { connection_creation_rate: null } },
    ]);
    expect(quotas.isEmpty).toBe(true);
  });

  it.each([
    [{}, { producer_byte_rate: 1 }, 'empty'],
    [{ user: '' }, { producer_byte_rate: 1 }, '1 to 1024'],
    [{ user: 'a', ip: 'b' }, { producer_byte_rate: 1 }, 'combination'],
    [{ user: 'a' }, { connection_creation_rate: 1 }, 'Invalid configuration key'],
    [{ ip: '::1' }, { producer_byte_rate: 1 }, 'Invalid configuration key'],
    [{ user: 'a' }, { producer_byte_rate: 0 }, 'greater than 0'],
    [{ user: 'a' }, { producer_byte_rate: Number.NaN }, 'greater than 0'],
    [{ user: 'a' }, { producer_byte_rate: 1.5 }, 'fractional'],
  ])('of %j with %j are refused: %s', (entity, values, why) => {
    expect(() => quotas.alter([{ entity, values: values as unknown as Record<string, number> }])).toThrow(why);
  });
});
