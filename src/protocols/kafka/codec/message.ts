import { CodecError } from './codec-error.ts';
import { compileDecoder, type Decoder } from './decoder.ts';
import { compileEncoder, type Encoder } from './encoder.ts';
import type { Version } from './layout.ts';
import type { Reader } from './reader.ts';
import type { Decoded, Fields, Input } from './schema.ts';
import type { Writer } from './writer.ts';

/** One message of the protocol: its schema, and its codec for each version, made when it is first used. */
export class Message<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
  /** First and last version. */
  readonly versions: readonly [number, number];
  /** First version with compact lengths and tagged fields; Infinity for none. */
  readonly flexible: number;
  readonly #decoders: (Decoder | undefined)[] = [];
  readonly #encoders: (Encoder | undefined)[] = [];

  constructor(
    name: string,
    versions: readonly [number, number],
    fields: F,
    flexible: number = Number.POSITIVE_INFINITY,
  ) {
    this.name = name;
    this.versions = versions;
    this.flexible = flexible;
    this.fields = fields;
  }

  has(version: number): boolean {
    return Number.isInteger(version) && version >= this.versions[0] && version <= this.versions[1];
  }

  /** Reads the message from where the reader stands. Byte fields are parts of the reader's buffer. */
  decode(reader: Reader, version: number): Decoded<F> {
    const decoder = this.#decoders[version] ?? this.#compileDecoder(version);
    try {
      return decoder.decode(reader) as Decoded<F>;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const where = `${this.name} v${version}, ${decoder.paths[reader.at] ?? 'its start'}, byte ${reader.position}`;
      throw new CodecError(`${where}: ${error.message}`, { cause: error });
    }
  }

  /** Appends the message to the writer. Fields that the version lacks are left out, whatever their value. */
  encode(writer: Writer, version: number, value: Input<F>): void {
    const encoder = this.#encoders[version] ?? this.#compileEncoder(version);
    try {
      encoder.encode(writer, value);
    } catch (error) {
      // Anything else than a CodecError is a struct that is not there, say 'cannot read properties of undefined'.
      const what = error instanceof Error ? error.message : String(error);
      const where = `${this.name} v${version}, ${encoder.paths[writer.at] ?? 'its start'}`;
      throw new CodecError(`${where}: ${what}`, { cause: error });
    }
  }

  #compileDecoder(version: number): Decoder {
    const decoder = compileDecoder(this.fields, this.#layout(version));
    this.#decoders[version] = decoder;
    return decoder;
  }

  #compileEncoder(version: number): Encoder {
    const encoder = compileEncoder(this.fields, this.#layout(version));
    this.#encoders[version] = encoder;
    return encoder;
  }

  #layout(version: number): Version {
    if (!this.has(version)) throw new CodecError(`${this.name} has no version ${version}`);
    return { number: version, flexible: version >= this.flexible };
  }
}
