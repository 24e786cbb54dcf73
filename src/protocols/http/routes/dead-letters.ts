import { deathTrail, type RecordDeath, recordDeath, type SeenMessage, StreamMessages } from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { type DeadLetterTarget, DeadLetterTargets } from '../dead-letter-targets.ts';
import { list } from '../listing.ts';
import { showMessage } from '../message-shape.ts';
import { sourceOf } from '../readable-queue.ts';
import { type Call, get, ok, post, type Route } from '../route.ts';
import type { DeadLetterMessage, DeadLetterQueue } from '../shapes/dead-letters.ts';
import { redriveRequest, startRedrive } from '../transfer-requests.ts';
import { peek } from './queue-messages.ts';

const IN_HOST = 'virtual-host';
/** Messages of each queue on a page that are looked at for reasons. */
const SAMPLE = 200;

export const deadLetterRoutes: readonly Route[] = [
  listOf('/dead-letters', 'user', 'Queues and streams that hold dead letters, or get some', ({ broker, user }) =>
    reachableHosts(broker, user),
  ),
  listOf('/dead-letters/:vhost', IN_HOST, 'The same in one virtual host', ({ host }) => [host]),
  get(
    '/dead-letters/:vhost/:queue/messages',
    { access: IN_HOST, summary: 'A page of dead letters, with how they died' },
    (call) => peek(call, (seen, truncate, holder) => showLetter(seen, showMessage(seen, truncate, holder))),
  ),
  post(
    '/dead-letters/:vhost/:queue/redrive',
    { access: IN_HOST, summary: 'Brings dead letters back to where they came from, or elsewhere' },
    redriveRequest,
    async (call, request) => ok(await startRedrive(call, request)),
  ),
];

function listOf(
  path: string,
  access: Route['access'],
  summary: string,
  hosts: (call: Call) => ReturnType<typeof reachableHosts>,
): Route {
  const route = get(path, { access, summary }, async (call) => {
    const targets = hosts(call)
      .flatMap((host) => new DeadLetterTargets(call.broker, host).all())
      .filter(({ host, entry }) => call.user.may(host.name, 'read', entry.name));
    const listed = list(
      {
        items: targets,
        basics: (target) => ({ ...basicsOf(target) }),
        // What it takes to look into is done for those on the page alone.
        show: (target) => ({ target }),
        order: ['vhost', 'name'],
        paged: true,
      },
      (name) => (name === 'columns' ? undefined : call.query(name)),
    ) as Page | readonly Row[];
    const rows = Array.isArray(listed) ? (listed as readonly Row[]) : (listed as Page).items;
    const shown: DeadLetterQueue[] = [];
    for (const { target } of rows) shown.push(await showTarget(call, target));
    return Array.isArray(listed) ? shown : { ...listed, items: shown };
  });
  return { ...route, lists: true };
}

interface Row {
  readonly target: DeadLetterTarget;
}

interface Page {
  readonly items: readonly Row[];
}

function basicsOf({ host, entry, ofCount }: DeadLetterTarget) {
  const messages =
    entry.kind === 'queue' ? entry.queue.readyCount + entry.queue.unacknowledgedCount : entry.stream.messageCount;
  return { vhost: host.name, name: entry.name, type: entry.type, messages, dead_letters_of_count: ofCount };
}

async function showTarget({ broker }: Call, target: DeadLetterTarget): Promise<DeadLetterQueue> {
  const { entry } = target;
  const reasons = new Map<string, number>();
  const sources = new Map<string, number>();
  let [sampled, oldest]: [number, number | null] = [0, null];
  const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  let redriven = 0;
  if (entry.kind === 'stream')
    for (const partition of entry.stream.partitions)
      redriven += (await broker.redrivePositions.of(entry.stream.stream, partition)) - partition.log.startOffset;
  let death: RecordDeath | undefined;
  const see = (seen: SeenMessage) => {
    oldest = Math.min(oldest ?? seen.timestamp, seen.timestamp);
    sampled++;
    const [latest] = deathTrail(seen.message)?.deaths ?? [];
    if (latest !== undefined) {
      count(reasons, latest.reason);
      count(sources, latest.queue);
    } else if (death !== undefined) {
      count(reasons, death.message);
      count(sources, death.topic);
    }
    return true;
  };
  const source = sourceOf(entry);
  if (source instanceof StreamMessages)
    await source.walk({ budget: SAMPLE }, see, (record) => {
      death = recordDeath(record);
    });
  else await source.walk({ budget: SAMPLE }, see);
  return {
    ...basicsOf(target),
    ...{ redriven, oldest, sampled },
    reasons: Object.fromEntries(reasons),
    sources: Object.fromEntries(sources),
    dead_letters_of: target.of,
  };
}

function showLetter({ message }: SeenMessage, shown: ReturnType<typeof showMessage>): DeadLetterMessage {
  const trail = deathTrail(message);
  return {
    ...shown,
    deaths: (trail?.deaths ?? []).map(({ routingKeys, time, ...death }) => ({
      ...death,
      time: time ?? null,
      routing_keys: routingKeys,
    })),
    first_death: trail?.first ?? null,
    last_death: trail?.last ?? null,
    origin: originOf(shown.properties['headers']),
  };
}

/** Headers of a record are headers of the message that it is. */
function originOf(headers: unknown): DeadLetterMessage['origin'] {
  if (typeof headers !== 'object' || headers === null) return null;
  const of = (name: string) => {
    const value: unknown = (headers as Readonly<Record<string, unknown>>)[`__dlq.errors.${name}`];
    return typeof value === 'string' ? value : undefined;
  };
  const topic = of('topic');
  if (topic === undefined) return null;
  return {
    topic,
    partition: Number(of('partition') ?? 0),
    offset: Number(of('offset') ?? 0),
    group: of('group') ?? '',
    delivery_count: Number(of('delivery.count') ?? 0),
    message: of('message') ?? '',
  };
}
