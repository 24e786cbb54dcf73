import { Buffer } from 'node:buffer';
import type { Family } from './families.ts';

/*
 * Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/), version 0.0.4, and OpenMetrics 1.0, which differs in
 * how families of counters are called, and in having an end.
 */

export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What a scraper asks for by its `Accept` header. */
export function formatFor(accept: string | undefined): Format {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus';
}

export interface Distribution {
  /** Upper bounds of the buckets but for the last, in the family's unit. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

const FIRST_BYTES = 1024;
/** Room for a number and what is around it. */
const NUMBER_BYTES = 32;
const SPACE = 0x20;
const LINE_END = 0x0a;
const ZERO = 0x30;

/** The lines of one family, which stand together. Written byte by byte: with thousands of queues, strings would be most of the work. */
export class FamilyText {
  readonly #family: Family;
  /** Of a series' name. */
  readonly #name: Buffer;
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  readonly #titleLength: number;

  constructor(family: Family, format: Format) {
    const { name, type, help } = family;
    const sampleName = type === 'counter' ? `${name}_total` : name;
    const title = format === 'openmetrics' ? name : sampleName;
    this.#family = family;
    this.#name = Buffer.from(sampleName);
    this.#write(`# HELP ${title} ${help}\n# TYPE ${title} ${type}\n`);
    this.#titleLength = this.#length;
  }

  /** `labels` as `labelsOf` writes them. */
  add(labels: Buffer, value: number): void {
    const name = this.#name;
    this.#reserve(name.length + labels.length + NUMBER_BYTES);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer.set(name, at);
    at += name.length;
    buffer.set(labels, at);
    at += labels.length;
    buffer[at++] = SPACE;
    if (value >= 0 && value < 10 && Number.isInteger(value)) buffer[at++] = ZERO + value;
    else at += buffer.write(numberText(value), at, 'latin1');
    buffer[at++] = LINE_END;
    this.#length = at;
  }

  addDistribution(labels: Readonly<Record<string, string>>, { bounds, counts, sum }: Distribution): void {
    const { name } = this.#family;
    let below = 0;
    for (const [i, count] of counts.entries()) {
      below += count;
      const bound = bounds[i];
      const le = bound === undefined ? '+Inf' : numberText(bound);
      this.#write(`${name}_bucket${labelText({ ...labels, le })} ${below}\n`);
    }
    const text = labelText(labels);
    this.#write(`${name}_sum${text} ${numberText(sum)}\n${name}_count${text} ${below}\n`);
  }

  /** Nothing where there are no values. */
  bytes(): Buffer {
    return this.#length === this.#titleLength ? NOTHING : this.#buffer.subarray(0, this.#length);
  }

  #write(text: string): void {
    this.#reserve(Buffer.byteLength(text));
    this.#length += this.#buffer.write(text, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const NOTHING = Buffer.alloc(0);

/** For `FamilyText.add`: the same for several families. */
export function labelsOf(labels: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(labelText(labels));
}

/** `{name="value",…}`, or nothing. */
function labelText(labels: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name in labels) text += `${text === '' ? '{' : ','}${name}="${escaped(labels[name] ?? '')}"`;
  return text === '' ? '' : `${text}}`;
}

const SPECIAL = /[\\"\n]/;

function escaped(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
