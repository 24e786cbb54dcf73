import fc from 'fast-check';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import type { Api } from '../../src/protocols/kafka/codec/api.ts';
import { arbitraryOf } from '../../src/protocols/kafka/codec/arbitrary.contract.ts';
import { encodeBatch } from '../../src/records/index.ts';

/** What there is in the broker: arbitrary requests that never hit it would all end at the first check. */
export interface Present {
  readonly topics: readonly string[];
  readonly topicIds: readonly string[];
  readonly groups: readonly string[];
  readonly members: readonly string[];
  readonly transactionalIds: readonly string[];
}

/** The longest that a generated request may ask the broker to wait. */
export const LONGEST_WAIT_MS = 60_000;
/** As long as Kafka's strings get: whatever quotes one of these is too long to be sent back. */
const LONGEST_TEXT = 'x'.repeat(32_767);

const WAITS = new Set(['maxWaitMs', 'sessionTimeoutMs', 'rebalanceTimeoutMs', 'timeoutMs']);
const COUNTS = /^(partition|partitionIndex|index|partitions|partitionIndexes|count|numPartitions)$/;

/** Requests that are valid by their schema; names, ids and indexes often of what there is. */
export function requestsFor(api: Api, version: number, count: number, random: SeededRandom, present: Present) {
  const seed = random.below(0x7fff_ffff);
  return fc
    .sample(arbitraryOf(api.request, version), { seed, numRuns: count })
    .map((value) => placed(value, '', random, present) as never);
}

function placed(value: unknown, name: string, random: SeededRandom, present: Present): unknown {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const often = random.float() < 0.7;
  if (Array.isArray(value)) return value.map((element) => placed(element, name, random, present));
  if (Buffer.isBuffer(value)) return name === 'records' && often ? batch(random) : value;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => [field, placed(inner, field, random, present)]),
    );
  }
  if (typeof value === 'number') {
    if (WAITS.has(name)) return often ? random.below(LONGEST_WAIT_MS) : Math.min(value, LONGEST_WAIT_MS);
    if (COUNTS.test(name) && often) return random.below(4) - 1;
    // Flags, kinds, epochs and sizes: small numbers mean something.
    return random.float() < 0.5 ? random.below(6) - 1 : value;
  }
  if (typeof value !== 'string') return value;
  if (/^[0-9a-f]{8}-/.test(value)) return often ? pick(present.topicIds) : value;
  if (random.float() < 0.03) return LONGEST_TEXT;
  if (!often) return value;
  if (/member/i.test(name)) return pick(present.members);
  if (/transactionalId|coordinatorKey/i.test(name)) return pick(present.transactionalIds);
  if (/group|key/i.test(name)) return pick(present.groups);
  if (/protocolType/.test(name)) return 'consumer';
  return pick([...present.topics, ...present.groups, 'range', 'consumer', 'retention.ms', 'cleanup.policy', '1', '']);
}

/** Of a client without an id, an idempotent producer, or a transaction; now and then what only brokers write, or compressed. */
function batch(random: SeededRandom): Buffer {
  const count = 1 + random.below(3);
  const kind = random.below(3);
  return encodeBatch({
    ...(kind > 0 && { producerId: random.below(4), producerEpoch: random.below(3), baseSequence: random.below(4) }),
    transactional: kind === 2,
    ...(random.float() < 0.1 ? { control: true } : { compression: random.float() < 0.2 ? 'gzip' : 'none' }),
    records: Array.from({ length: count }, (_, i) => ({ timestamp: i, key: key(random), value: Buffer.from('v') })),
  });
}

function key(random: SeededRandom): Buffer | null {
  return random.float() < 0.3 ? null : Buffer.from(`${random.below(3)}`);
}

/** The frame with some of its bytes behind the header changed, or its end cut off. */
export function mutated(frame: Buffer, headerBytes: number, random: SeededRandom): Buffer {
  const bytes = Buffer.from(frame);
  if (bytes.length <= headerBytes) return bytes;
  const at = () => headerBytes + random.below(bytes.length - headerBytes);
  if (random.float() < 0.2) {
    const cut = bytes.subarray(0, at());
    cut.writeInt32BE(cut.length - 4, 0);
    return cut;
  }
  for (let changes = 1 + random.below(4); changes > 0; changes--)
    bytes[at()] = random.float() < 0.4 ? [0, 1, 0x7f, 0x80, 0xff][random.below(5)]! : random.below(256);
  return bytes;
}

/** Every number under this name in an answer. */
export function numbersNamed(value: unknown, name: string, found: number[] = []): number[] {
  if (Array.isArray(value)) for (const element of value) numbersNamed(element, name, found);
  else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === name && typeof inner === 'number') found.push(inner);
      else numbersNamed(inner, name, found);
    }
  }
  return found;
}
