export * from './acquisition.ts';
export type { ShareGroupSettings } from './settings.ts';
export type { NewStartOffset, ShareGroupOffset, ShareGroups } from './share-groups.ts';
export type { SharePartition } from './share-partition.ts';
