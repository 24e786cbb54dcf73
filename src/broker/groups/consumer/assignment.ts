/** Partitions of one topic, ascending. */
export interface AssignedTopic {
  /** UUID */
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** Partitions of several topics: each topic once, by id, and none without partitions. */
export type Assignment = readonly AssignedTopic[];

/** About. */
const TOPIC_BYTES = 64;
const PARTITION_BYTES = 8;

export const NO_PARTITIONS: Assignment = [];

/** From what may name a topic more than once, and in any order. */
export function assignmentOf(topics: Iterable<AssignedTopic>): Assignment {
  const gathered = new Map<string, Set<number>>();
  for (const { topicId, partitions } of topics) {
    const known = gathered.get(topicId) ?? new Set();
    for (const partition of partitions) known.add(partition);
    gathered.set(topicId, known);
  }
  return fromSets(gathered);
}

export function fromSets(topics: ReadonlyMap<string, ReadonlySet<number>>): Assignment {
  return [...topics]
    .filter(([, partitions]) => partitions.size > 0)
    .map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }))
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1));
}

/** Splits an assignment in two by what is said of each partition. */
export function split(
  assignment: Assignment,
  belongs: (topicId: string, partition: number) => boolean,
): { readonly yes: Assignment; readonly no: Assignment } {
  const yes: AssignedTopic[] = [];
  const no: AssignedTopic[] = [];
  for (const { topicId, partitions } of assignment) {
    const inside = partitions.filter((partition) => belongs(topicId, partition));
    if (inside.length === partitions.length) {
      yes.push({ topicId, partitions });
      continue;
    }
    if (inside.length > 0) yes.push({ topicId, partitions: inside });
    no.push({ topicId, partitions: partitions.filter((partition) => !belongs(topicId, partition)) });
  }
  return { yes, no };
}

/** A way to ask often whether a partition is in an assignment. */
export function lookup(assignment: Assignment): (topicId: string, partition: number) => boolean {
  const topics = new Map(assignment.map(({ topicId, partitions }) => [topicId, new Set(partitions)]));
  return (topicId, partition) => topics.get(topicId)?.has(partition) === true;
}

/** All partitions of both. */
export function union(a: Assignment, b: Assignment): Assignment {
  if (a.length === 0) return b;
  return b.length === 0 ? a : assignmentOf([...a, ...b]);
}

export function equal(a: Assignment, b: Assignment): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(({ topicId, partitions }, i) => {
        const other = b[i];
        return other?.topicId === topicId && sameNumbers(partitions, other.partitions);
      }))
  );
}

export function isSubset(a: Assignment, b: Assignment): boolean {
  const has = lookup(b);
  return a.every(({ topicId, partitions }) => partitions.every((partition) => has(topicId, partition)));
}

export function partitionCount(assignment: Assignment): number {
  return assignment.reduce((sum, { partitions }) => sum + partitions.length, 0);
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** Bytes, about, that it takes in memory. */
export function assignmentBytes(assignment: Assignment): number {
  return assignment.length * TOPIC_BYTES + partitionCount(assignment) * PARTITION_BYTES;
}

export function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const member of a) if (!b.has(member)) return false;
  return true;
}
