import { type Distribution, FamilyText, type Format, labelsOf } from './exposition.ts';
import { FAMILIES, type FamilyName } from './families.ts';

/** A page of metrics that is put together: values in any order, families in theirs. */
export class Page {
  readonly #format: Format;
  readonly #families = new Map<FamilyName, FamilyText>();

  constructor(format: Format) {
    this.#format = format;
  }

  /** A family to add many values to. */
  family(name: FamilyName): FamilyText {
    let text = this.#families.get(name);
    const family = FAMILIES.get(name);
    if (text === undefined && family !== undefined) {
      text = new FamilyText(family, this.#format);
      this.#families.set(name, text);
    }
    // All names are of families.
    return text as FamilyText;
  }

  add(name: FamilyName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.family(name).add(labelsOf(labels), value);
  }

  addDistribution(name: FamilyName, distribution: Distribution, labels: Readonly<Record<string, string>> = {}): void {
    this.family(name).addDistribution(labels, distribution);
  }

  bytes(): Buffer {
    const pieces = Array.from(FAMILIES.keys()).flatMap((name) => this.#families.get(name)?.bytes() ?? []);
    if (this.#format === 'openmetrics') pieces.push(Buffer.from('# EOF\n'));
    return Buffer.concat(pieces);
  }
}
