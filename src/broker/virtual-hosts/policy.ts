export type PolicyScope = 'queues' | 'classic_queues' | 'quorum_queues' | 'streams' | 'exchanges' | 'all';

/** Settings for all queues or exchanges whose names match. */
export interface Policy {
  readonly name: string;
  /** A regular expression that a name has to contain a match of. */
  readonly pattern: string;
  readonly applyTo: PolicyScope;
  /** Of several that match, the highest applies. */
  readonly priority: number;
  readonly definition: Readonly<Record<string, string | number | boolean>>;
}
