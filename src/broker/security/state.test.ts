import fc from 'fast-check';
import { expect, it } from 'vitest';
import { topicPermissionsOf, type UserEvent, usersMachine } from './state.ts';

const name = fc.constantFrom('a', 'b', 'c');
const pattern = fc.constantFrom('', '.*', '^x');
const event: fc.Arbitrary<UserEvent> = fc.oneof(
  fc.record({
    type: fc.constant('user-put' as const),
    user: fc.record({
      name,
      credentials: fc.constant({}),
      tags: fc.array(fc.constantFrom('administrator', 'monitoring')),
      limits: fc.constantFrom({}, { 'max-channels': 3 }),
    }),
  }),
  fc.record({ type: fc.constant('user-deleted' as const), user: name }),
  fc.record({
    type: fc.constant('permissions-set' as const),
    user: name,
    virtualHost: name,
    permissions: fc.record({ configure: pattern, write: pattern, read: pattern }),
  }),
  fc.record({ type: fc.constant('permissions-cleared' as const), user: name, virtualHost: name }),
  fc.record({
    type: fc.constant('topic-permissions-set' as const),
    user: name,
    virtualHost: name,
    exchange: name,
    permissions: fc.record({ write: pattern, read: pattern }),
  }),
  fc.record({ type: fc.constant('topic-permissions-cleared' as const), user: name, virtualHost: name, exchange: name }),
);

it('a snapshot has all that the events made, whatever they were', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const state = usersMachine.initial();
      for (const each of events) usersMachine.apply(state, each);
      const copy = usersMachine.fromSnapshot(JSON.parse(JSON.stringify(usersMachine.toSnapshot(state))));
      expect(copy).toEqual(state);
      for (const user of copy.users.values())
        for (const [virtualHost, exchange, permissions] of topicPermissionsOf(user))
          expect(state.users.get(user.name)?.topicPermissions.get(virtualHost)?.get(exchange)).toEqual(permissions);
    }),
  );
});
