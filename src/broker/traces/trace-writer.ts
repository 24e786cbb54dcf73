import { type EventType, eventNumber, PLACE_KINDS } from './event.ts';
import type { Interned, Participant, Place } from './place.ts';

/*
 * A gathering: events of some moments, as one record of the trace log has them.
 *
 *   gathering => version:u8(1) base time:f64 ms since the epoch, entry*
 *   entry     => kind:u8 length:u16 value*
 *   number    => 7 bits a byte, the lowest first, the high bit set on all but the last (up to 2^53)
 *   text      => length:number UTF-8      flag => u8      choice => its place in the list:u8
 *   place, actor => 0 for none, else 1 + its number: in the order in which they are defined in this gathering
 *
 * Kinds up to 239 are events: number of the time since the base time, then the values of its layout. The others define:
 */
export const DEFINES_PLACE = 240; // kind:u8 id:text virtual host:text name:text partition:number
export const DEFINES_ACTOR = 241; // protocol:text user:text connection:text client:text
export const VERSION = 1;
export const PREFIX_BYTES = 9;
export const ENTRY_HEADER_BYTES = 3;

const FIRST_BYTES = 4096;
/** Text is cut to so many bytes: the ends of names are worth less than that an entry's length fits 16 bits. */
export const MAX_TEXT_BYTES = 1024;
/** The most that one entry can take, with every value at its largest. */
const MAX_ENTRY_BYTES = 16 * (MAX_TEXT_BYTES + 9);

/** Writes events one after the other into a buffer that is used again and again. */
export class TraceWriter {
  #buffer = Buffer.alloc(0);
  #at = 0;
  #entryAt = 0;
  #baseTime = 0;
  #gathering = 0;
  #places = 0;
  #actors = 0;
  count = 0;

  /** Bytes gathered; 0 when there are no events. */
  get bytes(): number {
    return this.count === 0 ? 0 : this.#at;
  }

  /** Places and actors are to be known before the event begins that speaks of them. */
  define(place: Place | undefined, actor: Participant | undefined, now: number): void {
    this.#start(now);
    if (place !== undefined && this.#isNew(place)) this.#definePlace(place);
    if (actor !== undefined && this.#isNew(actor)) this.#defineActor(actor);
  }

  begin(type: EventType, now: number): void {
    this.#start(now);
    this.#open(eventNumber(type));
    this.number(Math.max(0, now - this.#baseTime));
    this.count++;
  }

  end(): void {
    this.#buffer.writeUInt16LE(this.#at - this.#entryAt - ENTRY_HEADER_BYTES, this.#entryAt + 1);
  }

  /** An integer from 0 to 2^53. */
  number(value: number): void {
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= 0x80) {
      buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    buffer[this.#at++] = rest;
  }

  flag(value: boolean): void {
    this.#buffer[this.#at++] = value ? 1 : 0;
  }

  choice<Choice extends string>(choices: readonly Choice[], value: Choice): void {
    this.#buffer[this.#at++] = choices.indexOf(value);
  }

  text(value: string): void {
    if (value === '') {
      this.#buffer[this.#at++] = 0;
      return;
    }
    const bytes = Buffer.from(value);
    this.utf8(bytes, 0, bytes.length);
  }

  /** Text that is there as bytes. */
  utf8(from: Buffer, start: number, end: number): void {
    const length = Math.min(end - start, MAX_TEXT_BYTES);
    this.number(length);
    from.copy(this.#buffer, this.#at, start, start + length);
    this.#at += length;
  }

  /** A place or an actor that was defined; undefined for none. */
  reference(interned: Interned | undefined): void {
    this.number(interned === undefined ? 0 : interned.number + 1);
  }

  /** What was gathered, as a buffer of its own; the next gathering begins. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    this.count = 0;
    return taken;
  }

  #start(now: number): void {
    if (this.#at === 0) {
      this.#gathering++;
      this.#places = 0;
      this.#actors = 0;
      this.#baseTime = now;
      this.#reserve(FIRST_BYTES);
      this.#buffer[0] = VERSION;
      this.#at = this.#buffer.writeDoubleLE(now, 1);
    }
  }

  #open(kind: number): void {
    this.#reserve(MAX_ENTRY_BYTES);
    this.#entryAt = this.#at;
    this.#buffer[this.#at] = kind;
    this.#at += ENTRY_HEADER_BYTES;
  }

  #isNew(interned: Interned): boolean {
    if (interned.gathering === this.#gathering) return false;
    interned.gathering = this.#gathering;
    return true;
  }

  #definePlace(place: Place): void {
    place.number = this.#places++;
    this.#open(DEFINES_PLACE);
    this.choice(PLACE_KINDS, place.kind);
    this.text(place.id);
    this.text(place.virtualHost);
    this.text(place.name);
    this.number(place.partition);
    this.end();
  }

  #defineActor(actor: Participant): void {
    actor.number = this.#actors++;
    this.#open(DEFINES_ACTOR);
    this.text(actor.protocol);
    this.text(actor.user);
    this.text(actor.connection);
    this.text(actor.client);
    this.end();
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
