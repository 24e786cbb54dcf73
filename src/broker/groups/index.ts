export { GroupCoordinator, type GroupCoordinatorOptions, type GroupResult } from './coordinator.ts';
export { groupEventCodec } from './event-codec.ts';
export type * from './membership.ts';
export type * from './offsets.ts';
export { DEFAULT_GROUP_SETTINGS, type GroupSettings } from './settings.ts';
export { type GroupEvent, type GroupsState, groupsStateMachine } from './state.ts';
