import { expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { type LeaseOptions, Leases } from './leases.ts';

const OWNER = { user: 'anna', virtualHost: '/', queue: 'jobs' };

function open(options: Partial<LeaseOptions> = {}) {
  const clock = new VirtualClock(0);
  const leases = new Leases({ clock, random: new SeededRandom(1) });
  const lease = leases.open({ ...OWNER, lockMs: 1000, ...options });
  const ends: string[] = [];
  const message = (name: string) => ({
    acknowledge: () => void ends.push(`${name} acknowledged`),
    requeue: (failed = true) => void ends.push(`${name} back${failed ? '' : ' untouched'}`),
    reject: () => void ends.push(`${name} rejected`),
  });
  const find = (token: string, owner = OWNER) => leases.find(token, owner);
  return { clock, leases, lease, ends, message, find };
}

it('settles each message once, for its owner only', () => {
  const { leases, lease, ends, message, find } = open();
  const room = leases.room;
  const token = lease.add(message('a'));
  expect(leases.room).toBe(room - 1);
  expect(find(token, { ...OWNER, user: 'berta' })).toBeUndefined();
  expect(find(token, { ...OWNER, queue: 'others' })).toBeUndefined();
  for (const wrong of ['', 'a', `${token}x`, token.replace('.', ' '), `x${token}`]) expect(find(wrong)).toBeUndefined();
  const found = find(token);
  expect(found?.lease.settle(found.number, 'acknowledge')).toBe(true);
  expect(found?.lease.settle(found.number, 'requeue')).toBe(false);
  expect(find(token)).toBeUndefined();
  expect(ends).toEqual(['a acknowledged']);
  expect(leases.room).toBe(room);
});

it('gives back what was not settled in time, and not what was renewed', async () => {
  const { clock, lease, ends, message } = open();
  lease.add(message('a'));
  await clock.advance(600);
  lease.add(message('b'));
  expect(lease.renew(1)).toBe(true);
  await clock.advance(999);
  expect(ends).toEqual([]);
  await clock.advance(1);
  expect(ends.toSorted()).toEqual(['a back', 'b back']);
  expect(lease.renew(1)).toBe(false);
  expect(lease.size).toBe(0);
});

it('tells when a message is settled, takes more after it was empty, and gives all back at the end', async () => {
  let settled = 0;
  const { clock, leases, lease, ends, message, find } = open({ onSettled: () => settled++ });
  const first = lease.add(message('a'));
  lease.settle(find(first)?.number ?? 0, 'reject');
  expect(settled).toBe(1);
  const second = lease.add(message('b'));
  expect(find(second)?.lease).toBe(lease);
  leases.close();
  await clock.advance(10_000);
  expect(ends).toEqual(['a rejected', 'b back untouched']);
});
