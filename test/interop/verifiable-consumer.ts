import type { JavaProcess } from './java.ts';

/** What a VerifiableConsumer tells. */
export interface ConsumerEvent {
  readonly name: string;
  readonly count?: number;
  /** Of partitions that were assigned or revoked, and of those that records came from. */
  readonly partitions?: readonly {
    readonly partition: number;
    readonly minOffset?: number;
    readonly maxOffset?: number;
  }[];
}

export type Member = JavaProcess<ConsumerEvent>;

export const happened = (name: string, { events }: Member) => events.filter((event) => event.name === name);

export const consumed = (...members: Member[]) =>
  members.flatMap((each) => happened('records_consumed', each)).reduce((sum, { count = 0 }) => sum + count, 0);

/** The partitions that a member has, by all that it has told. */
export function owned({ events }: Member): number[] {
  const partitions = new Set<number>();
  for (const { name, partitions: told = [] } of events) {
    if (name === 'partitions_assigned') for (const { partition } of told) partitions.add(partition);
    if (name === 'partitions_revoked') for (const { partition } of told) partitions.delete(partition);
  }
  return [...partitions].sort();
}

/** Whether the members have so many partitions between them, each as many as the others. */
export const isShared = (partitions: number, ...members: Member[]) =>
  members.every((each) => owned(each).length === partitions / members.length) &&
  new Set(members.flatMap(owned)).size === partitions;
