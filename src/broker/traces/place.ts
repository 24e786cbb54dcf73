import type { ActorInfo, PlaceInfo, PlaceKind } from './event.ts';

/** Something that many events speak of: it is written down once for all those that are gathered together, which then give its number. */
export class Interned {
  /** In which gathering it was written down last, and under which number. The writer's. */
  gathering = -1;
  number = 0;
}

/** A place, as long as what it stands for is there. */
export class Place extends Interned implements PlaceInfo {
  readonly kind: PlaceKind;
  readonly id: string;
  readonly virtualHost: string;
  readonly name: string;
  readonly partition: number;
  /** For the index. */
  readonly hash: number;
  /** Whether the settings in force select it, and in which generation of them that was seen. The selection's. */
  selected = false;
  seenIn = -1;

  constructor({ kind, id, virtualHost, name, partition }: PlaceInfo) {
    super();
    this.kind = kind;
    this.id = id;
    this.virtualHost = virtualHost;
    this.name = name;
    this.partition = partition;
    this.hash = hashText(id);
  }
}

/** Somebody at the other end of a connection. One object for each, so that traces write it down seldom. */
export class Participant extends Interned implements ActorInfo {
  readonly protocol: string;
  readonly user: string;
  readonly connection: string;
  readonly client: string;

  constructor({ protocol, user, connection, client }: ActorInfo) {
    super();
    this.protocol = protocol;
    this.user = user;
    this.connection = connection;
    this.client = client;
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a, 32 bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed = FNV_OFFSET): number {
  let hash = seed;
  // Within the bytes: the caller says where they lie.
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  return mix(hash);
}

export function hashText(text: string): number {
  const bytes = Buffer.from(text);
  return hashBytes(bytes, 0, bytes.length);
}

/** Of a message in a place. */
export function hashAt(placeHash: number, lane: number, offset: number): number {
  return mix(hashNumber(offset) ^ Math.imul(placeHash + lane, FNV_PRIME));
}

export function hashNumber(value: number): number {
  return mix((value >>> 0) ^ Math.imul(Math.floor(value / 0x1_0000_0000), FNV_PRIME));
}

/** Spreads what differs in few bits (murmur3's last step). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
