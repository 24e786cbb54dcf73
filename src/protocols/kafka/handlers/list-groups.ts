import { listGroups } from '../codec/apis/list-groups.ts';
import { handler } from '../handler.ts';

/** Kafka's spelling in this answer. */
const GROUP_TYPES = { classic: 'Classic', consumer: 'Consumer', share: 'Share' } as const;

/** All groups, or those in some states or of some types. */
export const listGroupsHandler = handler(
  listGroups,
  ({ statesFilter, typesFilter }, { broker }) => {
    const groups = broker.groups.list({ states: statesFilter, types: typesFilter });
    return {
      errorCode: 0,
      groups: groups.map(({ groupId, protocolType, state, type }) => ({
        groupId,
        protocolType,
        groupState: state,
        groupType: GROUP_TYPES[type],
      })),
    };
  },
  { answersMuch: true },
);
