import { describe, expect, it } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

describe('a virtual clock', () => {
  it('fires timers in the order of their times, then of their making, each at its time', async () => {
    const clock = new VirtualClock(1_000_000);
    const fired: string[] = [];
    const at = (name: string, delayMs: number) => clock.setTimer(delayMs, () => fired.push(`${name}@${clock.now()}`));
    at('c', 30);
    at('a', 10);
    at('b', 10);
    at('later', 100);
    await clock.advance(50);
    expect(fired).toEqual(['a@1000010', 'b@1000010', 'c@1000030']);
    expect(clock.now()).toBe(1_000_050);
    expect(clock.monotonic()).toBe(50);
    expect(clock.pending).toBe(1);
  });

  it('runs what a timer set off before the next one fires', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimer(1, async () => {
      for (let i = 0; i < 50; i++) await undefined;
      order.push('first and its promises');
      clock.setTimer(1, () => order.push('its own timer'));
    });
    clock.setTimer(3, () => order.push('second'));
    await clock.advance(3);
    expect(order).toEqual(['first and its promises', 'its own timer', 'second']);
  });

  it('forgets a timer that is cancelled, also one that is due together with the one that cancels it', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(5, () => {
      fired.push('a');
      other.cancel();
      other.cancel();
    });
    const other = clock.setTimer(5, () => fired.push('b'));
    await clock.advance(10);
    expect(fired).toEqual(['a']);
  });

  it('can be set back without intervals noticing', async () => {
    const clock = new VirtualClock(5000);
    let fired = false;
    clock.setTimer(100, () => {
      fired = true;
    });
    clock.set(1000);
    await clock.advance(100);
    expect([fired, clock.now(), clock.monotonic()]).toEqual([true, 1100, 100]);
  });
});
