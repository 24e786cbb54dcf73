/** What brokers of a cluster agree upon (KIP-584), and at which level: by this clients know more than by the versions of APIs. */
export const FEATURES: readonly { readonly name: string; readonly min: number; readonly level: number }[] = [
  // 2: the epoch of a transactional producer grows with each transaction, and partitions become part of it by Produce (KIP-890).
  { name: 'transaction.version', min: 0, level: 2 },
  // 1: groups of the protocol of KIP-848.
  { name: 'group.version', min: 0, level: 1 },
  // 1: share groups (KIP-932); 2: their dead letters (KIP-1191).
  { name: 'share.version', min: 0, level: 2 },
];
