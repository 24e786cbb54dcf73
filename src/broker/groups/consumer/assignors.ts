import type { Assignment } from './assignment.ts';
import { range } from './range.ts';
import { uniform } from './uniform.ts';

/** A member as an assignor sees it. */
export interface Candidate {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Ids of the topics that it consumes; all of them exist. */
  readonly topics: ReadonlySet<string>;
  /** What its target is so far. */
  readonly target: Assignment;
}

/** Shares out all partitions of the members' topics: each goes to one member that consumes its topic. */
export type Assignor = (
  candidates: readonly Candidate[],
  partitions: ReadonlyMap<string, number>,
) => Map<string, Assignment>;

const DEFAULT_ASSIGNOR = 'uniform';

/** By the name that clients know them by. */
export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniform],
  ['range', range],
]);

/** What most of those who care want. */
export function elect(wishes: Iterable<string | null>): string {
  const votes = new Map<string, number>();
  for (const wish of wishes) if (wish !== null) votes.set(wish, (votes.get(wish) ?? 0) + 1);
  let elected = DEFAULT_ASSIGNOR;
  let most = 0;
  for (const [name, count] of votes) {
    if (count > most) [elected, most] = [name, count];
  }
  return elected;
}
