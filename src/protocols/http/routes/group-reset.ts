import { z } from 'zod';
import type { Broker, Partition, Stream } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { badRequest } from '../errors.ts';
import { lagFrom, positionsOf } from '../group-lag.ts';
import { viewOf } from '../group-members.ts';
import { type Call, ok, post, type Route } from '../route.ts';
import type { ResetAnswer, ResetOffset } from '../shapes/groups.ts';
import { demand } from '../stream-access.ts';
import { commit } from './groups.ts';

/** Partitions reset by one request. */
const MAX_PARTITIONS = 10_000;

const whole = z.int();
const reset = z.object({
  /** Where the group is to go on: one of these. */
  to: z.union([
    z.enum(['earliest', 'latest', 'current']),
    z.object({ offset: whole.min(0) }),
    /** Milliseconds since the epoch: the first record that is not older. */
    z.object({ timestamp: whole.min(0) }),
    /** From where it stands, back when negative. */
    z.object({ shift: whole }),
    /** Milliseconds before now. */
    z.object({ ago: whole.min(0) }),
  ]),
  /** All that it has offsets of unless given; all of a stream's partitions unless given. */
  streams: z
    .array(z.object({ stream: z.string(), partitions: z.array(whole.min(0)).max(MAX_PARTITIONS).optional() }))
    .optional(),
  /** Only shows what would become of it. */
  dry_run: z.boolean().default(false),
});

type Reset = z.output<typeof reset>;

interface Place {
  readonly stream: Stream;
  readonly partition: Partition;
  /** -1 for nowhere yet. */
  readonly offset: number;
}

export const groupResetRoutes: readonly Route[] = [
  post(
    '/groups/:group/reset',
    { access: 'user', summary: 'Has a group without members go on elsewhere, or shows what would become of it' },
    reset,
    async (call, given) => {
      const group = call.param('group');
      demand(call, given.dry_run ? 'describe' : 'read', 'group', group);
      checkEmpty(call.broker, group);
      const places = placesIn(call, group, given);
      const now = call.broker.environment.clock.now();
      const offsets: ResetOffset[] = [];
      for (const place of places) offsets.push(await planned(place, given.to, now));
      if (!given.dry_run) await apply(call, group, offsets);
      return { ...ok({ applied: !given.dry_run, offsets } satisfies ResetAnswer), unchanged: given.dry_run };
    },
  ),
];

/** As Kafka's tools refuse it: members would go on from where they are, and commit that. */
function checkEmpty(broker: Broker, group: string): void {
  const view = viewOf(broker, group);
  if (view !== undefined && view.members.length > 0)
    throw new BrokerError(
      'group-not-empty',
      `offsets can only be reset while the group '${group}' is inactive, but its state is ${view.state}`,
    );
}

function placesIn(call: Call, group: string, { streams: wanted }: Reset): Place[] {
  const { access, broker } = call;
  const there = [...positionsOf(broker, group)].filter(({ stream }) => access.may('describe', 'topic', stream.name));
  if (wanted === undefined) {
    if (there.length === 0) throw new BrokerError('not-found', `group '${group}' has no offsets: say of which streams`);
    return there.sort(
      (one, other) => compareText(one.stream.name, other.stream.name) || one.partition.index - other.partition.index,
    );
  }
  const known = new Map(there.map(({ stream, partition, offset }) => [`${stream.id}/${partition.index}`, offset]));
  const places = wanted.flatMap(({ stream: name, partitions }) => {
    demand(call, 'describe', 'topic', name);
    const stream = broker.streams.get(name);
    if (stream === undefined) throw new BrokerError('not-found', `there is no stream '${name}'`);
    return [...new Set(partitions ?? stream.partitions.keys())].map((index) => {
      const partition = stream.partitions[index];
      if (partition === undefined) throw new BrokerError('not-found', `stream '${name}' has no partition ${index}`);
      return { stream, partition, offset: known.get(`${stream.id}/${index}`) ?? -1 };
    });
  });
  if (places.length > MAX_PARTITIONS) throw badRequest(`one request resets ${MAX_PARTITIONS} partitions at most`);
  return places;
}

async function planned({ stream, partition, offset }: Place, to: Reset['to'], now: number): Promise<ResetOffset> {
  const { startOffset, highWatermark } = partition.log;
  // As Kafka's tools do, what lies beyond the ends is brought to them.
  const wanted = await wantedOffset(partition, offset, to, now);
  const newOffset = Math.min(Math.max(wanted, startOffset), highWatermark);
  return {
    ...{ stream: stream.name, partition: partition.index, offset },
    ...{ new_offset: newOffset, end_offset: highWatermark, new_lag: lagFrom(partition, newOffset) },
  };
}

async function wantedOffset(partition: Partition, offset: number, to: Reset['to'], now: number): Promise<number> {
  const { startOffset, highWatermark } = partition.log;
  const atTime = async (time: number) => (await partition.offsetForTimestamp(time))?.offset ?? highWatermark;
  if (to === 'earliest') return startOffset;
  if (to === 'latest') return highWatermark;
  // Where it stands nowhere, it would begin with what comes.
  if (to === 'current') return offset < 0 ? highWatermark : offset;
  if ('offset' in to) return to.offset;
  if ('timestamp' in to) return atTime(to.timestamp);
  if ('ago' in to) return atTime(Math.max(0, now - to.ago));
  return (offset < 0 ? highWatermark : offset) + to.shift;
}

async function apply(call: Call, group: string, offsets: readonly ResetOffset[]): Promise<void> {
  const { groups, shareGroups, streams } = call.broker;
  const coordinator = groups.coordinatorOf(group);
  if (!coordinator.share.has(group)) {
    await commit(
      call,
      group,
      offsets.map(({ stream, partition, new_offset: offset }) => ({ stream, partition, offset })),
    );
    return;
  }
  for (const { stream } of offsets) demand(call, 'read', 'topic', stream);
  const starts = offsets.map(({ stream, partition, new_offset: startOffset }) => ({
    ...{ streamId: streams.get(stream)?.id ?? '', partition, startOffset },
  }));
  await coordinator.share.whileEmpty(group, () => shareGroups.alterOffsets(group, starts));
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
