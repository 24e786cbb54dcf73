import type { Random } from './environment.ts';

/** Chance that is the same for the same seed: sfc32 (Chris Doty-Humphrey's PractRand), 128 bits of state. Not for secrets. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    // Seeds that differ by little give sequences that have nothing in common after some steps.
    for (let i = 0; i < 15; i++) this.#next();
  }

  uuid(): string {
    const bytes = this.bytes(16);
    // Version 4 and its variant: RFC 9562, section 5.4.
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  float(): number {
    return this.#next() / 2 ** 32;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    let at = 0;
    for (; at + 4 <= length; at += 4) bytes.writeUInt32LE(this.#next(), at);
    for (; at < length; at++) bytes[at] = this.#next() & 0xff;
    return bytes;
  }

  /** A whole number from 0 (included) to `limit` (excluded). */
  below(limit: number): number {
    return Math.floor(this.float() * limit);
  }

  /** True with the probability given, from 0 to 1. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
