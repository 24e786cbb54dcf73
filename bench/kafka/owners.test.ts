import { describe, expect, it } from 'vitest';
import { Owners } from './owners.ts';

describe('Owners', () => {
  it('waits until each partition has an owner, and each member its share', async () => {
    const owners = new Owners<string>(4);
    let shared = false;
    const waiting = owners.shared(2).then(() => {
      shared = true;
    });
    owners.set('a', [0, 1, 2, 3]);
    owners.set('a', [0, 1]);
    owners.set('b', [2]);
    await Promise.resolve();
    expect(shared).toBe(false);
    owners.set('b', [2, 3]);
    await waiting;
    await owners.shared(2);
    expect(owners.partitionsOf('b')).toEqual([2, 3]);
  });

  it('lets no partition have two owners', () => {
    const owners = new Owners<string>(2);
    owners.set('a', [0]);
    expect(() => owners.set('b', [0])).toThrow('partition 0 has two owners');
    expect(() => owners.set('b', [1, 1])).toThrow('partition 1 has two owners');
    expect(() => owners.set('c', [2])).toThrow('there is no partition 2');
  });

  it('frees what a member gives up', () => {
    const owners = new Owners<string>(2);
    owners.set('a', [0, 1]);
    owners.set('a', [1]);
    owners.set('b', [0]);
    expect(owners.partitionsOf('a')).toEqual([1]);
  });
});
