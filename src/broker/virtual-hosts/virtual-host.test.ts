import { describe, expect, test } from 'vitest';
import { array, EMPTY_TABLE, integer, longString } from '../messages/index.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';

describe('publishing', () => {
  test('goes by the name of the queue through the default exchange, and by bindings through others', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q');
    await fixture.exchange('x', 'topic');
    await fixture.bind('q', 'x', 'a.*');
    expect(fixture.publish('', 'q', 'one')).toEqual({ routed: true, refused: false });
    expect(fixture.publish('x', 'a.b', 'two')).toEqual({ routed: true, refused: false });
    expect(fixture.publish('x', 'b.b', 'three')).toEqual({ routed: false, refused: false });
    expect(fixture.publish('', 'nope', 'four')).toEqual({ routed: false, refused: false });
    expect(await fixture.bodies('q')).toEqual(['one', 'two']);
  });
});
