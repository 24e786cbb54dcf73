export * from './acquisition.ts';
export { DEFAULT_SHARE_GROUP_CONFIG, type ShareGroupConfig } from './settings.ts';
export type { NewStartOffset, ShareGroupOffset, ShareGroups } from './share-groups.ts';
export type { SharePartition } from './share-partition.ts';
