export * from './acquisition.ts';
export { DEFAULT_SHARE_GROUP_SETTINGS, type ShareGroupSettings } from './settings.ts';
export { type NewStartOffset, type ShareGroupOffset, ShareGroups, type ShareGroupsOptions } from './share-groups.ts';
export type { SharePartition } from './share-partition.ts';
