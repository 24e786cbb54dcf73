export type { AssignedTopic, Assignment } from './assignment.ts';
export { ASSIGNORS } from './assignors.ts';
export { type ConsumerGroup, describeConsumerGroup, listConsumerGroup } from './group.ts';
export { ConsumerGroups } from './groups.ts';
export * from './heartbeat.ts';
export { type ConsumerGroupChange, ConsumerMembership, type SavedConsumerMembership } from './membership.ts';
export { Subscriptions } from './subscriptions.ts';
export type { TopicInfo, Topics } from './topics.ts';
