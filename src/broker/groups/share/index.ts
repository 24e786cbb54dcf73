export { ShareGroupCoordinator } from './coordinator.ts';
export { describeShareGroup, listShareGroup } from './group.ts';
export type * from './heartbeat.ts';
export { type ShareGroupChange, ShareMembership } from './membership.ts';
